//! AWS on a bad day: what is not known is no verdict, what is refused is tried again, and what is too big is fetched.

use std::collections::BTreeSet;

use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::proxy::FaultKind;
use serde_json::{Value, json};

use super::stage::{Env, FIX, RULE, play};

const BUCKETS: &str = "rectify-s3-bucket-public-read-prohibited";
const ACCOUNT_BLOCK: (&str, &str) = ("s3control", "GetPublicAccessBlock");

async fn bucket(stage: &Env, name: &str) -> ResourceKey {
    stage.world.clients().s3.create_bucket().bucket(name).send().await.unwrap();
    ResourceKey::new("AWS::S3::Bucket", name)
}

/// What lies in the dead-letter queue, taken out of it.
async fn dead_letter_queue(stage: &Env) -> Vec<Value> {
    let sqs = &stage.world.clients().sqs;
    let name = &stage.world.wiring().queues[0].name;
    let queue = sqs.get_queue_url().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let mut letters = Vec::new();
    loop {
        let answer = sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return letters;
        }
        for message in messages {
            letters.push(serde_json::from_str(message.body().unwrap()).unwrap());
            let receipt = message.receipt_handle().unwrap();
            sqs.delete_message().queue_url(&queue).receipt_handle(receipt).send().await.unwrap();
        }
    }
}

/// `runtime/8`
#[test]
fn facts_that_are_denied_are_no_verdict_and_the_event_is_kept() {
    play(async |stage| {
        dead_letter_queue(stage).await;
        let (letters, host) = (stage.world.host().dead_letters().len(), stage.world.host());
        stage.inject(BUCKETS, ACCOUNT_BLOCK, 3, FaultKind::AccessDenied);
        let bucket = bucket(stage, "denied").await;
        stage.settle().await;

        assert_eq!(stage.world.proxy().pending_faults(), []);
        assert_eq!(stage.verdict(BUCKETS, &bucket), None);
        assert!(!stage.world.proxy().calls_of(BUCKETS).contains(&"config:PutEvaluations".to_owned()));
        let letters = host.dead_letters().split_off(letters);
        let [letter] = letters.as_slice() else { panic!("{letters:#?}") };
        assert_eq!((letter.function.as_str(), letter.attempts), (BUCKETS, 3));
        assert_eq!(letter.error.error_type, "AccessDenied");
        assert_eq!(dead_letter_queue(stage).await, std::slice::from_ref(&letter.payload));

        // Delivered again once the permission is there, the kept event is judged.
        host.enqueue(BUCKETS, letter.payload.clone()).unwrap();
        stage.settle().await;
        assert_eq!(stage.verdict(BUCKETS, &bucket), Some(Compliance::Compliant));
    });
}

#[test]
fn rule_that_is_throttled_judges_at_the_next_attempt() {
    play(async |stage| {
        let letters = stage.world.host().dead_letters().len();
        stage.inject(BUCKETS, ACCOUNT_BLOCK, 2, FaultKind::Throttle);
        let bucket = bucket(stage, "throttled").await;
        stage.settle().await;
        assert_eq!(stage.world.proxy().pending_faults(), []);
        assert_eq!(stage.verdict(BUCKETS, &bucket), Some(Compliance::Compliant));
        assert_eq!(stage.world.host().dead_letters().len(), letters);
    });
}

#[test]
fn remediation_that_is_throttled_repeats_its_call_within_the_delivery() {
    play(async |stage| {
        stage.inject(FIX, ("ec2", "RevokeSecurityGroupIngress"), 1, FaultKind::Throttle);
        let group = stage.open_group("throttled").await;
        stage.settle().await;
        assert_eq!(stage.outcomes(&group), ["verified"]);
        let statuses = stage.revocations();
        assert!(matches!(statuses.as_slice(), [refused, 200] if *refused >= 400), "{statuses:?}");
        assert_eq!(stage.ingress(&group).await, BTreeSet::from(["443-443 0.0.0.0/0".to_owned()]));
    });
}

/// `runtime/1`
#[test]
fn item_that_is_too_big_to_send_is_fetched_and_judged_like_another() {
    play(async |stage| {
        let everything = [(0, 65535, "0.0.0.0/0")];
        let normal = stage.group("sent", &everything).await;
        stage.settle().await;
        let history = "config:GetResourceConfigHistory".to_owned();
        assert!(!stage.world.proxy().calls_of(RULE).contains(&history));

        let oversized = stage.group("oversized", &everything).await;
        stage.world.engine().force_oversized(oversized.clone());
        stage.settle().await;
        assert_eq!(stage.world.proxy().calls_of(RULE).iter().filter(|call| **call == history).count(), 1);

        let result = |group| stage.world.engine().result(RULE, group).unwrap();
        let (sent, fetched) = (result(&normal), result(&oversized));
        assert_eq!((sent.compliance, &sent.annotation), (fetched.compliance, &fetched.annotation));
        assert_eq!(sent.compliance, Compliance::NonCompliant);
        // The time is the item's, not the fetch's.
        let item = stage.world.engine().latest(&oversized).unwrap();
        let captured: jiff::Timestamp = item["configurationItemCaptureTime"].as_str().unwrap().parse().unwrap();
        assert_eq!(fetched.ordering.as_millisecond(), captured.as_millisecond());
        let plans = [stage.told(&normal), stage.told(&oversized)].map(|told| told[0].1["finding"].clone());
        assert_eq!(plans[0], plans[1]);
        assert_ne!(plans[0], json!(null));
    });
}
