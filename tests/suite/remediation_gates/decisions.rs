//! Operators' decisions: exemptions, modes of an account or a resource, and the grace period between a finding and its
//! fix.

use aws_sdk_dynamodb::types::AttributeValue;
use rectify_compliance::exemption::{Ended, Exemption};
use rectify_runtime::ledger::AuditEntry;
use rectify_tests::outage::{Outage, during};

use super::*;

async fn disabled() -> World {
    World::with([Widget::disabled("d-1", &["top"])]).await
}

fn audit_entry(command: &str) -> AuditEntry {
    AuditEntry::now("jane", command, "SEC-1")
}

fn exemption(control: &str, selector: &str, until: Timestamp) -> Exemption {
    Exemption {
        id: "01X".to_owned(),
        control: control.to_owned(),
        account: ACCOUNT.to_owned(),
        selector: selector.parse().unwrap(),
        reason: "vendor widget".to_owned(),
        approver: "jane".to_owned(),
        ticket: "SEC-1".to_owned(),
        created: Timestamp::now(),
        until,
        ended: None,
    }
}

fn tomorrow() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_hours(24)
}

/// Delivers the finding twice: nothing is changed, and the one attempt is announced once.
async fn assert_not_changed(world: &World, outcome: Outcome) -> Attempt {
    let event = finding("d-1", RECORDED);
    let disposition = world.deliver(&event).await.unwrap();
    let attempt = only(world).await;
    assert_eq!(ended(&disposition), (attempt.id.as_str(), outcome), "{attempt:?}");
    let again = world.deliver(&event).await.unwrap();
    assert!(matches!(&again, Disposition::Acknowledged(it) if it.attempt == attempt.id), "{again:?}");
    assert_eq!(world.attempts("d-1").await.len(), 1);
    assert_eq!(world.sandbox.announced().await, [announcement(&attempt, "Rectify Plan", outcome.name(), &[])]);
    assert_eq!((world.widgets.writes(), world.sandbox.budget_used().await), (vec![], 0));
    attempt
}

/// `runtime/14`
#[tokio::test]
async fn exempt_resource_is_not_changed_until_the_exemption_ends() {
    for (control, selector) in [("widget-disabled", "resource:d-*"), ("*", "resource:d-1"), ("*", "resource:*")] {
        let world = disabled().await;
        let until = tomorrow();
        world.ledger().exempt(&exemption(control, selector, until), &audit_entry("exempt add")).await.unwrap();
        let attempt = assert_not_changed(&world, Outcome::Exempt).await;
        let expected =
            format!("exempt until {}: vendor widget (approved by jane, SEC-1, exemption 01X)", in_ledger(until));
        assert_eq!((attempt.reason, attempt.before), (expected, None), "{selector}: nothing was read");
        assert_eq!(world.widgets.calls(), []);
        let ended_by = Ended { by: "joe".to_owned(), at: Timestamp::now() };
        assert!(
            world
                .ledger()
                .end_exemption("01X", &["*", "widget-disabled"], &ended_by, &audit_entry("exempt end"))
                .await
                .unwrap()
        );
        assert!(
            !world
                .ledger()
                .end_exemption("01X", &["*", "widget-disabled"], &ended_by, &audit_entry("exempt end"))
                .await
                .unwrap(),
            "already ended"
        );
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
        let month = &Timestamp::now().to_string()[..7];
        let acts = world.ledger().acts(month).await.unwrap();
        assert_eq!(acts.iter().map(|it| it.what.as_str()).collect::<Vec<_>>(), ["exempt add", "exempt end"]);
    }
    let world = disabled().await;
    let soon = Timestamp::now() + jiff::SignedDuration::from_secs(2);
    world.ledger().exempt(&exemption("*", "resource:d-1", soon), &audit_entry("exempt add")).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Exempt);
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// The ledger stores milliseconds.
fn in_ledger(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

#[tokio::test]
async fn exemption_by_tag_or_name_needs_the_live_read_and_keeps_the_plan() {
    let tags = rectify_compliance::Tags::from([("rectify:exempt-team".to_owned(), "web-eu".to_owned())]);
    let widget = Widget { tags, name: Some("cellar".to_owned()), ..Widget::disabled("d-1", &["top"]) };
    for selector in ["tag:rectify:exempt-team=web-*", "resource:cell*"] {
        let world = World::with([widget.clone()]).await;
        world.ledger().exempt(&exemption("*", selector, tomorrow()), &audit_entry("exempt add")).await.unwrap();
        let attempt = assert_not_changed(&world, Outcome::Exempt).await;
        assert_eq!(json!(attempt.plan), plan(&["top"], "L1"), "{selector}");
        assert!(attempt.before.is_some(), "{selector}");
    }
}

/// A resource whose live ARN matches `ProtectedArns` is planned and never changed.
#[tokio::test]
async fn protected_resource_is_planned_and_not_changed() {
    let arn = "arn:aws:widgets:eu-west-1:111122223333:widget/d-1";
    let widget = Widget { arn: Some(arn.to_owned()), ..Widget::disabled("d-1", &["top"]) };
    for (protected, left) in [
        (arn, true),
        ("arn:aws:s3:::state,arn:aws:widgets:*:widget/d-?", true),
        ("arn:aws:widgets:eu-west-1:111122223333:widget/d-10", false),
        ("none", false),
    ] {
        let world = World::with([widget.clone()]).await.setting("PROTECTED_ARNS", protected);
        if left {
            let attempt = assert_not_changed(&world, Outcome::Planned).await;
            assert_eq!(attempt.reason, format!("protected by the stack's ProtectedArns: {arn}"), "{protected}");
        } else {
            let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
            assert_eq!(ended(&disposition).1, Outcome::Verified, "{protected}");
        }
    }
}

#[tokio::test]
async fn exemptions_of_other_resources_are_ignored() {
    let world = disabled().await;
    let of = |control: &str, account: &str, selector: &str, id: &str| Exemption {
        id: id.to_owned(),
        account: account.to_owned(),
        ..exemption(control, selector, tomorrow())
    };
    for other in [
        of("widget-disabled-too", "*", "resource:*", "01A"),
        of("*", "444455556666", "resource:*", "01B"),
        of("*", "*", "resource:d-2", "01C"),
        of("*", "*", "tag:rectify:exempt-team=*", "01D"),
    ] {
        world.ledger().exempt(&other, &audit_entry("exempt add")).await.unwrap();
    }
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// `runtime/15`: a registry that denies the read does not count as empty.
#[tokio::test]
async fn unreadable_exemptions_prevent_every_call() {
    let world = disabled().await;
    let outage = Outage {
        containing: "X#widget-disabled",
        first: 1,
        last: usize::MAX,
        code: "AccessDeniedException",
        takes_effect: false,
    };
    let (http, received) = during(world.sandbox.http(), outage);
    let context = world.context_over(&world.sandbox.sdk_over(http));
    let error = deliver_through(&context, &finding("d-1", RECORDED), &delivery("w")).await.unwrap_err();
    assert_eq!(error.kind(), "LedgerUnavailable", "{error}");
    assert_eq!(received.load(std::sync::atomic::Ordering::SeqCst), 1, "the registry is read");
    assert_eq!((world.widgets.calls(), world.attempts("d-1").await), (vec![], vec![]));
    // With `EXEMPTIONS=none` the registry is not read.
    let world = disabled().await.setting("EXEMPTIONS", "none");
    world.ledger().exempt(&exemption("*", "resource:*", tomorrow()), &audit_entry("exempt add")).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// `runtime/16`: an exemption that was written by hand, with errors.
#[tokio::test]
async fn malformed_exemption_prevents_every_change_and_is_reported() {
    let until = "until: expected a number: received `Some(S(\"next week\"))`";
    let tag = "selector: expected a tag key that begins with `rectify:exempt`, which no remediation can write";
    for (selector, error) in [
        ("resource:d-1", Some(until)),
        ("resource:d-2", None),
        ("everything", Some("selector: expected")),
        ("tag:team=none", Some(tag)),
    ] {
        let world = disabled().await;
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let mut put = aws_sdk_dynamodb::Client::new(&world.sandbox.sdk).put_item().table_name(&world.sandbox.name);
        for (name, value) in [
            ("pk", "X#widget-disabled"),
            ("sk", "by-hand"),
            ("id", "01H"),
            ("account", "*"),
            ("selector", selector),
            ("reason", "r"),
            ("approver", "a"),
            ("ticket", "t"),
            ("until", "next week"),
        ] {
            put = put.item(name, text(value));
        }
        put.item("created", AttributeValue::N("0".to_owned())).send().await.unwrap();
        let Some(error) = error else {
            assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
            continue;
        };
        let attempt = assert_not_changed(&world, Outcome::Exempt).await;
        assert!(attempt.reason.starts_with(&format!("exemption 01H cannot be read: {error}")), "{}", attempt.reason);
        // It can be ended although the rest cannot be read.
        let ended_by = Ended { by: "joe".to_owned(), at: Timestamp::now() };
        let end = async |id| {
            world.ledger().end_exemption(id, &["*", "widget-disabled"], &ended_by, &audit_entry("exempt end")).await
        };
        assert_eq!((end("01J").await, end("01H").await, end("01H").await), (Ok(false), Ok(true), Ok(false)));
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    }
}

#[tokio::test]
async fn lower_mode_of_an_account_wins_and_a_higher_one_does_not() {
    let with = |modes: Value| async move { disabled().await.setting("ACCOUNT_MODES", &modes.to_string()) };
    let world = with(json!({ ACCOUNT: {"*": "enforce", "widget-disabled": "plan"} })).await;
    let attempt = assert_not_changed(&world, Outcome::Planned).await;
    assert_eq!((attempt.reason, attempt.mode.as_str()), (format!("mode plan by account {ACCOUNT}"), "plan"));
    let world = with(json!({ "*": "observe" })).await;
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap(), Disposition::Ignored("mode"));
    assert_eq!(world.widgets.calls(), []);
    let world = with(json!({ ACCOUNT: "enforce" })).await.setting("MODE", "plan");
    assert_eq!(assert_not_changed(&world, Outcome::Planned).await.reason, "mode plan");
    let world = with(json!({ "444455556666": "off" })).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

#[tokio::test]
async fn tag_lowers_the_mode_if_allowed_and_never_raises_it() {
    let tagged = |mode: &str| {
        let tags = rectify_compliance::Tags::from([("rectify:mode".to_owned(), mode.to_owned())]);
        World::with([Widget { tags, ..Widget::disabled("d-1", &["top"]) }])
    };
    let world = tagged("observe").await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified, "not allowed");
    for (tag, mode, reason) in [
        ("plan", "enforce", "mode plan by tag rectify:mode"),
        ("off", "enforce", "mode off by tag rectify:mode"),
        ("enforce", "plan", "mode plan"),
        ("never", "enforce", "tag rectify:mode: expected off, observe, plan or enforce: received `never`"),
    ] {
        let world = tagged(tag).await.setting("ALLOW_TAG_MODE", "true").setting("MODE", mode);
        assert_eq!(assert_not_changed(&world, Outcome::Planned).await.reason, reason, "{tag}");
    }
}

#[tokio::test]
async fn grace_period_delays_enforcement_and_the_plan_is_announced_at_once() {
    let recorded = in_ledger(Timestamp::now());
    let world = disabled().await.setting("GRACE_MINUTES", "{\"*\": 0, \"widget-disabled\": 60}");
    let disposition = world.deliver(&finding("d-1", &recorded.to_string())).await.unwrap();
    let attempt = only(&world).await;
    assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Planned));
    assert_eq!(attempt.reason, format!("grace until {}", recorded + jiff::SignedDuration::from_mins(60)));
    assert_eq!(json!(attempt.plan), plan(&["top"], "L1"));
    assert_eq!(world.widgets.writes(), []);
    let long_ago = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&long_ago).1, Outcome::Verified, "the grace period is over");
    let world = disabled().await.setting("GRACE_MINUTES", "{\"another\": 60}");
    let disposition = world.deliver(&finding("d-1", &Timestamp::now().to_string())).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Verified, "another control's grace");
}
