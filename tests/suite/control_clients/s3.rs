//! Buckets: each read of a remediation and each fact of a rule is denied in turn.

use rectify_compliance::{ConfigurationItem, Declared, FromItem, Permission, Resource, Target};
use rectify_runtime::CallErrorKind;
use rectify_runtime::client::ReadFacts;
use rectify_s3::controls::s3_bucket_logging_enabled::target;
use rectify_s3::{
    S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC, S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED,
    S3_BUCKET_LOGGING_ENABLED, S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, S3_BUCKET_SSL_REQUESTS_ONLY,
    S3_BUCKET_VERSIONING_ENABLED, S3_LIFECYCLE_LOG_ARCHIVE, S3AccountLevelPublicAccessBlocksPeriodic,
    S3BucketServerSideEncryptionEnabled,
};
use rectify_s3_lambda::Clients;

use super::*;

/// The bucket `name` as the target of a call.
fn target<K>(control: &'static Declared<K>, name: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: rectify_compliance::ResourceKey::new(control.meta.resource_types[0], name),
        name: None,
        arn: None,
    }
}

/// Denies each call of `read` in turn, and checks that these permissions cover its calls.
async fn each_denied<T>(
    permissions: &[Permission],
    read: impl AsyncFn(Clients) -> Result<T, rectify_runtime::AwsError>,
) {
    let free = Services::default();
    read(Clients::connect(&free.sdk(REGION))).await.unwrap();
    let calls = free.calls();
    assert!(!calls.is_empty());
    assert_permitted(permissions, &calls);
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let Err(error) = read(Clients::connect(&services.sdk(REGION))).await else {
            panic!("{}: the denied read is ignored", services.calls()[number - 1]);
        };
        assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{error}");
    }
}

async fn each_denied_live_read_is_an_error<K: Fix<Clients>>(
    control: &'static Declared<K>,
    resource: &str,
    params: &K::Params,
) {
    let target = target(control, resource);
    each_denied(control.logic.permissions().read, async |clients| {
        control.logic.live(&clients, &target, params).await.map(Option::unwrap)
    })
    .await;
}

async fn each_denied_fact_is_an_error<K: ReadFacts<Clients> + FromItem>(
    control: &'static Declared<K>,
    supplementary: Value,
    params: &K::Params,
) {
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": ACCOUNT, "awsRegion": REGION, "resourceType": "AWS::S3::Bucket", "resourceId": "denied-reads",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {"name": "denied-reads"}, "supplementaryConfiguration": supplementary
    }))
    .unwrap();
    let resource = K::Resource::from_item(&item).unwrap();
    let target = item.target();
    each_denied(control.logic.fact_permissions(), async |clients| {
        control.logic.facts(&clients, &target, &resource, params).await.map(Option::unwrap)
    })
    .await;
}

#[tokio::test]
async fn denied_read_of_a_policy_or_a_block_is_an_error() {
    buckets().await;
    each_denied_live_read_is_an_error(&S3_BUCKET_SSL_REQUESTS_ONLY, "denied-reads", &Default::default()).await;
    each_denied_live_read_is_an_error(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, "denied-reads", &Default::default())
        .await;
}

#[tokio::test]
async fn denied_read_of_the_account_block_is_an_error() {
    buckets().await;
    let params = serde_json::from_value(json!({"acceptAccountLevel": true})).unwrap();
    each_denied_fact_is_an_error(&S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED, json!({}), &params).await;
}

/// S3 answers `AccessDenied` if the policy is public already and `BlockPublicPolicy` is set.
#[tokio::test]
async fn denied_policy_fails_the_attempt_terminally() {
    buckets().await;
    let sandbox = Sandbox::create().await;
    let operation = Some("s3:PutBucketPolicy");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDenied" }]);
    let error =
        remediate::<_, Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &services, &sandbox, "denied-reads").await.unwrap_err();
    assert!(
        matches!(&error, Error::ActionFailed { terminal: true, reason, .. } if reason.contains("s3:PutBucketPolicy"))
    );
}

/// Other tests leave public buckets in the account and set no block; this test looks at the calls only.
#[tokio::test]
async fn denied_read_of_any_bucket_blocks_the_plan_for_the_account() {
    each_denied_read_is_reported(
        &on_schedule::<_, Clients>(&S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC),
        REGION,
        "AccessDenied",
    )
    .await;
    buckets().await;
    let target = Target {
        resource: rectify_compliance::ResourceKey::account(&AccountId::new(ACCOUNT)),
        ..target(&S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC, "")
    };
    let free = Services::default();
    let subject = S3AccountLevelPublicAccessBlocksPeriodic
        .live(&Clients::connect(&free.sdk(REGION)), &target, &Default::default())
        .await
        .unwrap()
        .unwrap();
    assert!(subject.exposed.is_some(), "{subject:?}");
    assert_permitted(S3AccountLevelPublicAccessBlocksPeriodic.permissions().read, &free.calls());
    let buckets = [
        "s3:GetPublicAccessBlock",
        "s3:GetBucketLocation",
        "s3:GetBucketAcl",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3control:ListAccessPoints",
    ];
    let params = serde_json::from_value(json!({"accountWide": true})).unwrap();
    each_denied_operation_is_reported(
        &S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC,
        &free,
        &target,
        &params,
        |it| &it.unreadable,
        &buckets,
    )
    .await;
}

/// Creates four buckets in `region`.
async fn four_buckets(region: &str) -> Vec<String> {
    let sdk = Services::default().sdk(region);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let names = ["a", "b", "c", "d"].map(|name| format!("{region}-{name}"));
    for name in &names {
        let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(region.into()).build();
        s3.create_bucket().bucket(name).create_bucket_configuration(here).send().await.unwrap();
    }
    names.into()
}

/// A bucket that denies every read has no verdict; the other buckets keep theirs.
#[tokio::test]
async fn denied_bucket_leaves_the_other_three_verdicts() {
    let buckets = four_buckets("eu-south-2").await;
    let services =
        Services::refusing([InjectedError { operation: Some("s3:GetBucketAcl"), number: 2, code: "AccessDenied" }]);
    let error = run_scheduled(
        &on_change_and_schedule::<_, Clients>(&S3_BUCKET_PUBLIC_READ_PROHIBITED),
        &services,
        "eu-south-2",
    )
    .await
    .unwrap_err();
    let evaluated_ids = evaluated(&services);
    let lost: Vec<&String> = buckets.iter().filter(|name| !evaluated_ids.contains(*name)).collect();
    assert_eq!((evaluated_ids.len(), lost.len(), error.kind()), (3, 1, "RunIncomplete"), "{error}: {evaluated_ids:?}");
    assert_eq!(
        error.to_string(),
        format!("1 of 4 resources could not be read: AWS::S3::Bucket {} (s3:GetBucketAcl: AccessDenied)", lost[0])
    );
}

/// Denies each operation of a live read at its first call. The order of calls differs between runs that read several
/// buckets at once, and the number of buckets changes while other tests create some.
///
/// A denied operation on another bucket (`elsewhere`) names that bucket in the subject, and blocks every plan with
/// these parameters; any other denied operation is an error.
async fn each_denied_operation_is_reported<K: Fix<Clients>>(
    control: &'static Declared<K>,
    free: &Services,
    target: &Target,
    params: &K::Params,
    unreadable: impl Fn(&K::Subject) -> &std::collections::BTreeSet<String>,
    elsewhere: &[&str],
) {
    for called in free.calls().into_iter().collect::<std::collections::BTreeSet<String>>() {
        let operation: Option<&'static str> = Some(called.clone().leak());
        let about_another = elsewhere.contains(&called.as_str());
        let refusing = |code| Services::refusing([InjectedError { operation, number: 1, code }]);
        let services = refusing("AccessDenied");
        match control.logic.live(&Clients::connect(&services.sdk(REGION)), target, params).await {
            Err(denied) => {
                assert_eq!(denied.kind(), Some(CallErrorKind::AccessDenied), "{called}");
                assert!(!about_another, "{called}: {denied}");
            }
            Ok(subject) => {
                let subject = subject.unwrap();
                let named = unreadable(&subject);
                assert!(about_another, "{called}: the denied read is ignored");
                assert!(named.len() == 1 && named.iter().all(|it| it.ends_with(&format!(" ({called}: AccessDenied)"))));
                let plan = control.logic.plan(&subject, params, rectify_compliance::Timestamp::now());
                assert!(matches!(plan, rectify_compliance::Plan::Blocked { .. }), "{called}: {plan:?}");
            }
        }
        // A throttled read is an error to retry: it does not block the plan.
        let services = refusing("SlowDown");
        let throttled = control.logic.live(&Clients::connect(&services.sdk(REGION)), target, params).await.unwrap_err();
        assert_eq!(throttled.kind(), Some(CallErrorKind::Throttled), "{called}");
    }
}

/// `s3-account-level-public-access-blocks-periodic/5`: the action returns the denial. `remediation_gates` tests that
/// the attempt then fails terminally.
#[tokio::test]
async fn action_returns_the_denial_of_a_block_managed_by_the_organization() {
    let operation = Some("s3control:PutPublicAccessBlock");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDenied" }]);
    let put = json!({"PutPublicAccessBlock": {"AccountId": ACCOUNT, "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}});
    let action = serde_json::from_value(put).unwrap();
    let clients = Clients::connect(&services.sdk(REGION));
    let error = S3AccountLevelPublicAccessBlocksPeriodic
        .apply(&clients, &target(&S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC, ACCOUNT), &action)
        .await
        .unwrap_err();
    assert_eq!((error.kind(), services.calls().len()), (Some(CallErrorKind::AccessDenied), 1), "{error}");
}

#[tokio::test]
async fn denied_read_about_encryption_is_an_error_or_blocks_the_plan() {
    buckets().await;
    let kms = aws_sdk_kms::Client::new(&sdk_at(endpoint()));
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let params = serde_json::from_value(json!({"kmsKeyArns": key})).unwrap();
    each_denied_fact_is_an_error(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, json!({}), &params).await;

    let target = target(&S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED, "denied-reads");
    let free = Services::default();
    S3BucketServerSideEncryptionEnabled
        .live(&Clients::connect(&free.sdk(REGION)), &target, &params)
        .await
        .unwrap()
        .unwrap();
    assert_permitted(S3BucketServerSideEncryptionEnabled.permissions().read, &free.calls());
    assert!(free.calls().contains(&"s3:GetBucketLogging".to_owned()), "{:?}", free.calls());
    let logging = ["s3:GetBucketLogging"];
    each_denied_operation_is_reported(
        &S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED,
        &free,
        &target,
        &params,
        |it| &it.unreadable_sources,
        &logging,
    )
    .await;
}

#[tokio::test]
async fn denied_read_of_versioning_is_an_error_and_a_deleted_bucket_is_gone() {
    buckets().await;
    let params = Default::default();
    each_denied_live_read_is_an_error(&S3_BUCKET_VERSIONING_ENABLED, "denied-reads", &params).await;
    each_denied_fact_is_an_error(&S3_BUCKET_VERSIONING_ENABLED, json!({}), &params).await;

    let clients = Clients::connect(&Services::default().sdk(REGION));
    let deleted = target(&S3_BUCKET_VERSIONING_ENABLED, "deleted-bucket");
    assert_eq!(S3_BUCKET_VERSIONING_ENABLED.logic.live(&clients, &deleted, &params).await, Ok(None));
}

#[tokio::test]
async fn denied_read_of_logging_or_of_its_target_is_an_error() {
    buckets().await;
    let params = |bucket: &str| serde_json::from_value(json!({ "targetBucket": bucket })).unwrap();
    each_denied_live_read_is_an_error(&S3_BUCKET_LOGGING_ENABLED, "denied-reads", &params("trail-logs")).await;

    let services = Services::default();
    let clients = Clients::connect(&services.sdk(REGION));
    let read = async |bucket: &str, to: &str| {
        let target = target(&S3_BUCKET_LOGGING_ENABLED, bucket);
        S3_BUCKET_LOGGING_ENABLED.logic.live(&clients, &target, &params(to)).await.unwrap()
    };
    assert_eq!(read("deleted-bucket", "trail-logs").await, None);
    let subject = read("denied-reads", "deleted-bucket").await.unwrap();
    assert_eq!(subject.target, Some(target::Target::Elsewhere), "the bucket of the finding exists");
}

#[tokio::test]
async fn denied_read_of_a_lifecycle_is_an_error() {
    buckets().await;
    let params = serde_json::from_value(json!({"bucketNames": "*"})).unwrap();
    each_denied_live_read_is_an_error(&S3_LIFECYCLE_LOG_ARCHIVE, "denied-reads", &params).await;
}
