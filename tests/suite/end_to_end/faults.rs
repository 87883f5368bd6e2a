//! Denied and throttled calls are retried and never lead to a verdict; oversized items are fetched.

use std::collections::BTreeSet;

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::proxy::FaultKind;
use serde_json::{Value, json};

use super::env::{Env, FIX, RULE, run};

const BUCKETS: &str = "rectify-s3-bucket-public-read-prohibited";
const ACCOUNT_BLOCK: (&str, &str) = ("s3control", "GetPublicAccessBlock");

async fn bucket(env: &Env, name: &str) -> ResourceKey {
    env.world.clients().s3.create_bucket().bucket(name).send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", name)
}

/// Drains the dead-letter queue.
async fn dead_letter_queue(env: &Env) -> Vec<Value> {
    let sqs = &env.world.clients().sqs;
    let name = &env.world.stack().queues[0].name;
    let queue = sqs.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let mut dead_letters = Vec::new();
    loop {
        let answer = sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return dead_letters;
        }
        for message in messages {
            dead_letters.push(serde_json::from_str(message.body().unwrap()).unwrap());
            let receipt = message.receipt_handle().unwrap();
            sqs.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.unwrap();
        }
    }
}

/// `runtime/8`
#[test]
fn denied_facts_lead_to_no_verdict_and_the_event_is_kept() {
    run(async |env| {
        dead_letter_queue(env).await;
        let (dead_letters, host) = (env.world.host().dead_letters().len(), env.world.host());
        env.inject(BUCKETS, ACCOUNT_BLOCK, 3, FaultKind::AccessDenied);
        let bucket = bucket(env, "denied").await;
        env.wait_until_idle().await;

        assert_eq!(env.world.proxy().pending_faults(), []);
        assert_eq!(env.verdict(BUCKETS, &bucket), None);
        assert!(!env.world.proxy().calls_of(BUCKETS).contains(&"config:PutEvaluations".to_owned()));
        let dead_letters = host.dead_letters().split_off(dead_letters);
        let [dead_letter] = dead_letters.as_slice() else { panic!("{dead_letters:#?}") };
        assert_eq!((dead_letter.function.as_str(), dead_letter.attempts), (BUCKETS, 3));
        assert_eq!(dead_letter.error.error_type, "AccessDenied");
        assert_eq!(dead_letter_queue(env).await, std::slice::from_ref(&dead_letter.payload));

        // Delivered again once the permission is granted, the kept event is evaluated.
        host.enqueue(BUCKETS, dead_letter.payload.clone()).unwrap();
        env.wait_until_idle().await;
        assert_eq!(env.verdict(BUCKETS, &bucket), Some(Compliance::Compliant));
    });
}

#[test]
fn throttled_rule_evaluates_on_retry() {
    run(async |env| {
        let dead_letters = env.world.host().dead_letters().len();
        env.inject(BUCKETS, ACCOUNT_BLOCK, 2, FaultKind::Throttle);
        let bucket = bucket(env, "throttled").await;
        env.wait_until_idle().await;
        assert_eq!(env.world.proxy().pending_faults(), []);
        assert_eq!(env.verdict(BUCKETS, &bucket), Some(Compliance::Compliant));
        assert_eq!(env.world.host().dead_letters().len(), dead_letters);
    });
}

#[test]
fn throttled_remediation_repeats_its_call_within_the_delivery() {
    run(async |env| {
        env.inject(FIX, ("ec2", "RevokeSecurityGroupIngress"), 1, FaultKind::Throttle);
        let group = env.open_group("throttled").await;
        env.wait_until_idle().await;
        assert_eq!(env.outcomes(&group), ["verified"]);
        let statuses = env.revocations();
        assert!(matches!(statuses.as_slice(), [refused, 200] if *refused >= 400), "{statuses:?}");
        assert_eq!(env.ingress(&group).await, BTreeSet::from(["443-443 0.0.0.0/0".to_owned()]));
    });
}

/// `runtime/1`
#[test]
fn oversized_item_is_fetched_and_evaluated_like_any_other() {
    run(async |env| {
        let everything = [(0, 65535, "0.0.0.0/0")];
        let normal = env.group("sent", &everything).await;
        env.wait_until_idle().await;
        let history = "config:GetResourceConfigHistory".to_owned();
        assert!(!env.world.proxy().calls_of(RULE).contains(&history));

        let oversized = env.group("oversized", &everything).await;
        env.world.engine().force_oversized(oversized.clone());
        env.wait_until_idle().await;
        assert_eq!(env.world.proxy().calls_of(RULE).iter().filter(|call| **call == history).count(), 1);

        let result = |group| env.world.engine().result(RULE, group).unwrap();
        let (sent, fetched) = (result(&normal), result(&oversized));
        assert_eq!((sent.compliance, &sent.annotation), (fetched.compliance, &fetched.annotation));
        assert_eq!(sent.compliance, Compliance::NonCompliant);
        // The ordering timestamp is the item's capture time, not the time of the fetch.
        let item = env.world.engine().latest(&oversized).unwrap();
        let captured: jiff::Timestamp = item["configurationItemCaptureTime"].as_str().unwrap().parse().unwrap();
        assert_eq!(fetched.ordering.as_millisecond(), captured.as_millisecond());
        let plans = [env.announcements(&normal), env.announcements(&oversized)].map(|it| it[0].1["finding"].clone());
        assert_eq!(plans[0], plans[1]);
        assert_ne!(plans[0], json!(null));
    });
}
