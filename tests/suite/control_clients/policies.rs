//! S3 returns bucket policies in another order than they were put: neither a fix nor its undo treats that as a change.

use rectify_runtime::ledger::Ledger;
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::undoable;
use rectify_s3::S3_BUCKET_SSL_REQUESTS_ONLY;
use rectify_s3_lambda::Clients;
use rectify_tests::reorder::reordering;

use super::*;

/// A bucket whose policy names two roles, and the policy.
async fn bucket(name: &str) -> (aws_sdk_s3::Client, Value) {
    let sdk = sdk_at(endpoint());
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    s3.create_bucket().bucket(name).send().await.unwrap();
    let role = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Readers", "Effect": "Allow", "Principal": {"AWS": [role("reader"), role("auditor")]},
        "Action": ["s3:GetObject"], "Resource": [format!("arn:aws:s3:::{name}/*")]
    }]});
    s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.unwrap();
    (s3, policy)
}

/// A function's SDK, in which every `every`th policy comes back in another order.
fn reordered(every: usize) -> SdkConfig {
    let sdk = Services::default().sdk(REGION);
    let http = reordering(sdk.http_client().unwrap(), every);
    sdk.to_builder().http_client(http).build()
}

async fn fix(sandbox: &Sandbox, name: &str, every: usize) -> Result<Disposition, Error> {
    let sdk = reordered(every);
    let context = remediation(deployed::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY), sandbox, &sdk);
    let event = finding(&S3_BUCKET_SSL_REQUESTS_ONLY, name, "2026-03-04T05:06:08.900Z");
    let mut line = Invocation::start(S3_BUCKET_SSL_REQUESTS_ONLY.meta.id, "r");
    remedy(&context, &event, &delivery("worker"), &mut line).await
}

#[tokio::test]
async fn policy_that_is_reordered_on_each_read_is_fixed() {
    let sandbox = Sandbox::create().await;
    bucket("reordered-each-time").await;
    let disposition = fix(&sandbox, "reordered-each-time", 2).await.unwrap();
    let Disposition::Ended { attempt, outcome } = disposition else { panic!("{disposition:?}") };
    let ledger = Ledger::new(&sandbox.sdk, &sandbox.name);
    let attempt = ledger.attempt(S3_BUCKET_SSL_REQUESTS_ONLY.meta.id, &attempt).await.unwrap().unwrap();
    assert_eq!((outcome, attempt.reason.as_str()), (Outcome::Verified, "as planned"));
}

#[tokio::test]
async fn fix_of_a_reordered_policy_is_undone() {
    let sandbox = Sandbox::create().await;
    let (s3, policy) = bucket("reordered-before-undo").await;
    let disposition = fix(&sandbox, "reordered-before-undo", usize::MAX).await.unwrap();
    let attempt = disposition.attempt().unwrap().to_owned();
    let deployed = undoable::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY);
    let pool = deployed.pool(&reordered(1), &Region::new(REGION));
    let request = UndoRequest { attempt, by: "jane".to_owned(), hold_days: 7, overwrite: false };
    let ledger = Ledger::new(&sandbox.sdk, &sandbox.name);
    let undone = undo(&deployed, &ledger, &pool, &AccountId::new(ACCOUNT), &request).await.unwrap();
    assert!(matches!(undone, Undone::Restored { .. }), "{undone:?}");
    let now = s3.get_bucket_policy().bucket("reordered-before-undo").send().await.unwrap().policy.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&now).unwrap(), policy);
}
