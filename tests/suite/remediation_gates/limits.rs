//! Limits: breakers, budgets, numbers of announcements and retries, and sizes of stored states.

use aws_sdk_dynamodb::types::AttributeValue;
use rectify_runtime::ledger::{AuditEntry, RESOURCE_LIMIT};
use rectify_tests::services::Services;

use super::*;

fn audit_entry(command: &str) -> AuditEntry {
    AuditEntry::now("jane", command, "")
}

/// The recording time of a finding at this hour.
fn at(hour: usize) -> String {
    format!("2026-03-04T{hour:02}:06:08.900Z")
}

#[tokio::test]
async fn repeatedly_reverted_resource_opens_its_breaker_until_it_is_reset() {
    let world = World::with([Widget::disabled("d-1", &["top"]), Widget::disabled("d-2", &["top"])]).await;
    for hour in 0..RESOURCE_LIMIT {
        world.widgets.change("d-1", |widget| widget.set("top", true));
        assert_eq!(ended(&world.deliver(&finding("d-1", &at(hour))).await.unwrap()).1, Outcome::Verified);
    }
    world.sandbox.announced().await;
    world.widgets.change("d-1", |widget| widget.set("top", true));
    let (used, writes) = (world.sandbox.budget_used().await, world.widgets.writes());
    for hour in [10, 11] {
        let disposition = world.deliver(&finding("d-1", &at(hour))).await.unwrap();
        assert_eq!(ended(&disposition).1, Outcome::BreakerOpen);
    }
    let attempts = world.attempts("d-1").await;
    let counted: Vec<&str> = attempts[..RESOURCE_LIMIT].iter().map(|it| it.id.as_str()).collect();
    let stopped = &attempts[RESOURCE_LIMIT];
    let tail = format!(": remediated 3 times within 24 hours ({})", counted.join(", "));
    assert!(stopped.reason.starts_with("breaker open until ") && stopped.reason.ends_with(&tail), "{}", stopped.reason);
    assert_eq!(json!(stopped.plan), plan(&["top"], "L1"));
    assert_eq!(world.sandbox.announced().await, [announcement(stopped, "Rectify Breaker Open", "breaker-open", &[])]);
    assert_eq!((world.sandbox.budget_used().await, world.widgets.writes()), (used, writes));
    assert_eq!(ended(&world.deliver(&finding("d-2", &at(0))).await.unwrap()).1, Outcome::Verified, "another widget");

    let breaker_blocked = world.ledger().breaker_blocked("widget-disabled").await.unwrap();
    assert_eq!(breaker_blocked.iter().map(|it| &it.target).collect::<Vec<_>>(), [&target("d-1")]);
    world
        .ledger()
        .reset_resource_breaker(&path("d-1"), "widget-disabled", &audit_entry("breaker reset"))
        .await
        .unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", &at(12))).await.unwrap()).1, Outcome::Verified);
}

/// Planned, exempt and already compliant attempts do not count.
#[tokio::test]
async fn only_attempts_that_changed_something_count_for_the_breaker() {
    let mut world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("MODE", "plan");
    for hour in 0..5 {
        world.deliver(&finding("d-1", &at(hour))).await.unwrap();
    }
    world.set("MODE", "enforce");
    assert_eq!(ended(&world.deliver(&finding("d-1", &at(6))).await.unwrap()).1, Outcome::Verified);
    let now = Timestamp::now();
    assert_eq!(world.ledger().open_breaker(&path("d-1"), "widget-disabled", None, now).await.unwrap(), None);
}

#[tokio::test]
async fn unused_budget_is_returned() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    // The flag is enabled between the two reads.
    world.widgets.inject_fault(
        On::Read,
        2,
        InjectedFault::Before(|widgets| widgets.get_mut("d-1").unwrap().set("top", false)),
    );
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::AlreadyCompliant);
    assert_eq!((world.sandbox.budget_used().await, world.widgets.writes()), (0, vec![]));
    assert_eq!(world.ledger().attempts_in_progress("widget-disabled").await.unwrap(), []);
}

#[tokio::test]
async fn attempt_is_listed_as_in_progress_until_it_ends() {
    let world = World::with([Widget { is_pending: true, ..Widget::disabled("d-1", &["top"]) }]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::NoEffect);
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let (id, outcome) = ended(&disposition);
    let open = world.ledger().attempts_in_progress("widget-disabled").await.unwrap();
    assert_eq!((outcome, open.iter().map(|it| it.id.as_str()).collect::<Vec<_>>()), (Outcome::Pending, vec![id]));
    assert_eq!(open[0].control, "widget-disabled");
    world.widgets.change("d-1", |widget| {
        widget.set("top", false);
        widget.is_pending = false;
    });
    assert_eq!(ended(&world.deliver(&world.requested("d-1", RECORDED).await).await.unwrap()), (id, Outcome::Verified));
    assert_eq!(world.ledger().attempts_in_progress("widget-disabled").await.unwrap(), []);
}

/// `runtime/26`
#[tokio::test]
async fn many_plans_in_an_hour_are_a_few_announcements_and_one_digest() {
    early_in_the_hour().await;
    let widgets = (0..6).map(|number| Widget::disabled(&format!("d-{number}"), &["top"]));
    let world = World::with(widgets).await.setting("MODE", "plan").setting("PLANS_PER_HOUR", "2");
    for number in 0..6 {
        let disposition = world.deliver(&finding(&format!("d-{number}"), RECORDED)).await.unwrap();
        assert_eq!(ended(&disposition).1, Outcome::Planned);
        world.deliver(&finding(&format!("d-{number}"), RECORDED)).await.unwrap();
    }
    let announced = world.sandbox.announced().await;
    let kinds: Vec<&str> = announced.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(kinds, ["Rectify Plan", "Rectify Plan", "Rectify Digest"]);
    let reason = "more than 2 plans of this control in this hour: recorded, but not announced individually";
    assert_eq!((&announced[2].1["reason"], &announced[2].1["resourceId"]), (&json!(reason), &json!("d-2")));
    assert_eq!(world.attempts("d-5").await.len(), 1, "recorded all the same");
}

#[tokio::test]
async fn failed_finding_is_retried_on_request_and_not_on_redelivery() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    let requested = world.deliver(&world.requested("d-1", RECORDED).await).await.unwrap();
    assert_eq!(ended(&requested).1, Outcome::Verified);
    assert_eq!(world.attempts("d-1").await.len(), 2);
    let settled = world.deliver(&world.requested("d-1", RECORDED).await).await.unwrap();
    assert!(matches!(settled, Disposition::Acknowledged(_)), "{settled:?}");
}

/// Without a limit, a fix that never works would be made at every redelivery, outside of every budget.
#[tokio::test]
async fn repeatedly_failing_attempt_ends_as_failed() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    for number in 1..20 {
        world.widgets.inject_fault(On::Apply, number, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    }
    let mut deliveries = 0;
    while only_open(&world, deliveries).await {
        world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        deliveries += 1;
    }
    let attempt = only(&world).await;
    assert_eq!((deliveries, attempt.failures, attempt.outcome), (6, 6, Some(Outcome::Failed)));
    assert_eq!(world.sandbox.budget_used().await, 0, "nothing was changed");
    let announced: Vec<String> = world.sandbox.announced().await.into_iter().map(|it| it.0).collect();
    assert_eq!(announced, ["Rectify Outcome", "Rectify Outcome"], "the first failure and the last");
}

async fn only_open(world: &World, deliveries: usize) -> bool {
    assert!(deliveries < 10, "the attempt does not end");
    world.attempts("d-1").await.first().is_none_or(|attempt| attempt.state == State::Open)
}

#[tokio::test]
async fn state_stored_again_with_fewer_parts_is_read_as_stored_last() {
    let world = World::with([Widget { color: "é".repeat(400_000), ..Widget::disabled("d-1", &["top"]) }]).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let mut attempt = only(&world).await;
    let smaller = Widget { color: "é".repeat(100_000), ..Widget::disabled("d-1", &[]) };
    attempt.after = Some(rectify_compliance::StoredState::of(&smaller).unwrap());
    let until = Timestamp::now() + jiff::SignedDuration::from_mins(1);
    let lease = world.ledger().lease(&path("d-1"), "test", Timestamp::now(), until).await.unwrap();
    world.ledger().save(&lease, &attempt).await.unwrap();
    assert_eq!(only(&world).await.after.unwrap().read::<Widget>().unwrap(), smaller);

    let partition = format!("widget-disabled#I#{}", attempt.id);
    let dynamodb = aws_sdk_dynamodb::Client::new(&world.sandbox.sdk);
    let got = dynamodb.get_item().table_name(&world.sandbox.name).key("pk", AttributeValue::S(partition));
    let left = got.key("sk", AttributeValue::S("after#002".to_owned())).send().await.unwrap().item;
    assert!(left.is_some(), "the last part of the longer state is still there");
}

#[tokio::test]
async fn state_too_large_for_an_item_is_stored_in_parts_and_undone_from_them() {
    let before = Widget { color: "é".repeat(400_000), ..Widget::disabled("d-1", &["top"]) };
    let world = World::with([before.clone()]).await;
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let (id, outcome) = ended(&disposition);
    assert_eq!(outcome, Outcome::Verified);
    let stored = only(&world).await;
    assert_eq!(stored.before.unwrap().read::<Widget>().unwrap(), before);
    assert_eq!(stored.after.unwrap().read::<Widget>().unwrap().disabled_flags(), [""; 0]);

    // With a lost or changed part the state is incomplete, and undo refuses it.
    let dynamodb = aws_sdk_dynamodb::Client::new(&world.sandbox.sdk);
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let (partition, part) = (format!("widget-disabled#I#{id}"), "before#001");
    let got = dynamodb.get_item().table_name(&world.sandbox.name).key("pk", text(&partition));
    let item = got.key("sk", text(part)).send().await.unwrap().item.unwrap();
    let gone = dynamodb.delete_item().table_name(&world.sandbox.name).key("pk", text(&partition));
    gone.key("sk", text(part)).send().await.unwrap();
    let error = world.undo(id).await.unwrap_err();
    assert!(error.to_string().contains("before: the checksum of 2 parts does not match"), "{error}");
    dynamodb.put_item().table_name(&world.sandbox.name).set_item(Some(item)).send().await.unwrap();
    world.undo(id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(before));
}

/// If AWS Config does not count a type, a share of it is unknown, and more than one resource could exceed it.
#[tokio::test]
async fn one_resource_an_hour_is_changed_if_aws_config_does_not_count_the_type() {
    early_in_the_hour().await;
    let widgets = [Widget::disabled("d-1", &["top"]), Widget::disabled("d-2", &["top"])];
    let world = World::in_emulator(widgets).await.setting("MAX_FIXES_PERCENT", "50");
    // Answers AWS Config's calls, and counts nothing.
    let context = world.context_over(&Services::default().sdk(REGION));
    let outcome = async |id: &str| {
        ended(&deliver_through(&context, &finding(id, RECORDED), &delivery("worker")).await.unwrap()).1
    };
    assert_eq!((outcome("d-1").await, outcome("d-2").await), (Outcome::Verified, Outcome::OverBudget));
    let attempt = world.attempts("d-2").await.remove(0);
    assert_eq!(attempt.reason, "budget of 1 an hour used up: 50 % of resources that AWS Config does not count");
}
