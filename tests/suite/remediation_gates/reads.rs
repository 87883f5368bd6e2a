//! The size of a decision's reads does not grow with the number of earlier attempts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use rectify_runtime::ledger::new_id;
use rectify_tests::meter::metered;

use super::*;

/// The number of earlier attempts: as many as a resource collects that a pipeline keeps reverting.
const STORED: usize = 700;

/// Stores [`STORED`] copies of the only attempt, each one second older than the last.
async fn copy_attempt(world: &World) {
    let dynamodb = aws_sdk_dynamodb::Client::new(&world.sandbox.sdk);
    let items = dynamodb.scan().table_name(&world.sandbox.name).send().await.unwrap().items.unwrap();
    let attempt = items.into_iter().find(|item| item.contains_key("body")).unwrap();
    let text = |name: &str| attempt[name].as_s().unwrap().clone();
    let (sk, body) = (text("sk"), text("body"));
    let id = serde_json::from_str::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned();
    let now = Timestamp::now();
    let copies: Vec<HashMap<String, AttributeValue>> = (1..=STORED)
        .map(|number| {
            let at = now - jiff::SignedDuration::from_secs(i64::try_from(number).unwrap());
            let other = new_id(at);
            let mut copy = attempt.clone();
            copy.insert("sk".to_owned(), AttributeValue::S(sk.replace(&id, &other)));
            copy.insert("body".to_owned(), AttributeValue::S(body.replace(&id, &other)));
            copy
        })
        .collect();
    for copy in copies {
        dynamodb.put_item().table_name(&world.sandbox.name).set_item(Some(copy)).send().await.unwrap();
    }
}

/// Each attempt holds a state of 40 KB: a security group of a thousand rules, or a bucket policy of the maximum size.
#[tokio::test]
async fn reads_do_not_grow_with_earlier_attempts() {
    let world = World::in_emulator([Widget { color: "x".repeat(40_000), ..Widget::disabled("d-1", &["top"]) }]).await;
    let world = world.setting("MODE", "plan");
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    copy_attempt(&world).await;
    assert_eq!(world.attempts("d-1").await.len(), STORED + 1, "the copies are stored");
    let world = world.setting("MODE", "enforce");
    let (http, meter) = metered(world.sandbox.http());
    let context = world.context_over(&world.sandbox.sdk_over(http));
    let event = finding("d-1", "2026-03-04T05:36:08.900Z");
    let disposition = deliver_through(&context, &event, &delivery("w")).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Verified);
    let (requests, bytes) = meter.read();
    assert!(requests <= 20 && bytes < 20_000, "{requests} reads of {bytes} bytes in all");
}
