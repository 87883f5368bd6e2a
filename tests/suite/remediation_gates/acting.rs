//! Gates 10 to 13: reread, apply, verify, announce.

use super::*;
use rectify_tests::controls::NAMED_WIDGET_DISABLED;

async fn two_flags() -> World {
    World::with([Widget::disabled("d-1", &["bottom", "top"])]).await
}

fn tokens(attempt: &Attempt) -> Vec<(Value, Option<Value>)> {
    attempt.actions.iter().map(|record| (record.action.clone(), record.receipt.clone())).collect()
}

fn done(flag: &str, token: u32) -> (Value, Option<Value>) {
    (call(flag), Some(json!({"Token": token})))
}

#[tokio::test]
async fn finding_is_fixed_verified_recorded_and_announced() {
    let world = two_flags().await;
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempt = only(&world).await;
    assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Verified));
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    let mut after = before.clone();
    after.set("bottom", false);
    after.set("top", false);
    assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), before);
    assert_eq!(attempt.after.as_ref().unwrap().read::<Widget>().unwrap(), after);
    assert_eq!(tokens(&attempt), [done("bottom", 101), done("top", 102)]);
    assert_eq!((attempt.state, attempt.reason.as_str(), attempt.announced), (State::Finished, "as planned", true));
    assert_eq!(attempt.finding.as_deref(), Some("d-1: flags bottom, top are disabled; expected none"));
    assert_eq!(attempt.recorded_at, RECORDED.parse::<Timestamp>().unwrap());
    let expected = announcement(&attempt, "Rectify Outcome", "verified", &[call("bottom"), call("top")]);
    assert_eq!(world.sandbox.announced().await, [expected]);
    assert_eq!(world.sandbox.budget_used().await, 1);
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.widgets.writes().len(), world.sandbox.announced().await.len()), (2, 0));
}

#[tokio::test]
async fn request_of_the_reconciler_is_processed_like_a_finding() {
    let world = two_flags().await;
    let event = world.requested("d-1", RECORDED).await;
    assert_eq!(ended(&world.deliver(&event).await.unwrap()).1, Outcome::Verified);
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
}

#[tokio::test]
async fn subject_that_changes_between_the_reads_is_planned_again() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let another = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        let widget = widgets.get_mut("d-1").unwrap();
        widget.set("bottom", true);
    };
    world.widgets.inject_fault(On::Read, 2, InjectedFault::Before(another));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let attempt = only(&world).await;
    assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), Widget::disabled("d-1", &["bottom", "top"]));
    assert_eq!(serde_json::to_value(&attempt.plan).unwrap(), plan(&["bottom", "top"], "L1"));
    assert_eq!(world.widgets.writes(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
    assert_eq!(world.sandbox.budget_used().await, 1);
}

#[tokio::test]
async fn subject_that_changes_on_every_read_is_not_fixed() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    for read in [2, 4, 6] {
        let repaint = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
            widgets.get_mut("d-1").unwrap().color.push('!');
        };
        world.widgets.inject_fault(On::Read, read, InjectedFault::Before(repaint));
    }
    let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert_eq!(error, Error::ConcurrentModification { resource: "Rectify::Test::Widget d-1".to_owned(), times: 3 });
    assert_eq!(
        (error.kind(), world.widgets.writes(), world.widgets.calls().len()),
        ("ConcurrentModification", vec![], 6)
    );
    let begun = only(&world).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()), (begun.id.as_str(), Outcome::Verified));
    let color = only(&world).await.before.unwrap().read::<Widget>().unwrap().color;
    assert_eq!((color.as_str(), world.sandbox.budget_used().await), ("!!!", 1));
}

#[tokio::test]
async fn failure_at_the_second_action_keeps_the_first_and_is_resumed() {
    let world = two_flags().await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("InternalError", CallErrorKind::Unavailable));
    let error = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    let expected = Error::ActionFailed {
        attempt: attempt.id.clone(),
        number: 2,
        total: 2,
        reason: "widgets:EnableFlag: InternalError: as scripted".to_owned(),
        terminal: false,
    };
    assert_eq!(error, expected);
    assert_eq!(tokens(&attempt), [done("bottom", 101), (call("top"), None)]);
    assert_eq!((attempt.state, attempt.outcome), (State::Open, Some(Outcome::Failed)));
    let expected = announcement(&attempt, "Rectify Outcome", "failed", &[call("bottom"), call("top")]);
    assert_eq!(world.sandbox.announced().await, [expected]);

    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let resumed = only(&world).await;
    assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Verified));
    assert_eq!(tokens(&resumed), [done("bottom", 101), done("top", 102)]);
    assert_eq!(resumed.before, attempt.before);
    assert_eq!((resumed.reason.as_str(), world.sandbox.budget_used().await), ("as planned", 1));
    assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
}

/// The second delivery obeys a decision made after the first: a hold, or a lower mode.
#[tokio::test]
async fn resumed_attempt_passes_the_gates_again() {
    for held in [true, false] {
        let mut world = two_flags().await;
        world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
        assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
        let reason = if held {
            let until: Timestamp = "2999-01-01T00:00:00Z".parse().unwrap();
            let hold = Hold {
                control: "widget-disabled".to_owned(),
                by: "jane".to_owned(),
                reason: "painting".to_owned(),
                until,
            };
            world.ledger().set_hold(&path("d-1"), &hold).await.unwrap();
            "held by jane until 2999-01-01T00:00:00Z: painting"
        } else {
            world.set("MODE", "plan");
            "mode plan"
        };
        let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Planned));
        assert_eq!(attempt.reason, format!("{reason}; 1 of 2 actions were already made"));
        assert_eq!(attempt.state, State::Finished);
        assert_eq!(tokens(&attempt), [done("bottom", 101)]);
        assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom"))]);
    }
}

#[tokio::test]
async fn throttled_action_counts_as_not_made() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    assert_eq!(only(&world).await.actions, []);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!((world.attempts("d-1").await.len(), world.sandbox.budget_used().await), (1, 1));
}

/// A failure that every retry repeats is announced once.
#[tokio::test]
async fn repeated_failure_is_announced_once() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    for apply in 1..=3 {
        world.widgets.inject_fault(
            On::Apply,
            apply,
            InjectedFault::Refused("InternalError", CallErrorKind::Unavailable),
        );
    }
    for _ in 0..3 {
        assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    }
    assert_eq!(world.sandbox.announced().await.len(), 1);
}

/// A permanent refusal is not retried; a temporary one is.
#[tokio::test]
async fn permanent_refusals_are_terminal_and_temporary_ones_are_not() {
    for (code, is_terminal) in [
        ("InvalidParameterValue", true),
        ("InvalidParameterCombination", true),
        ("OperationNotPermitted", true),
        ("InvalidHomeRegionException", true),
        ("NotOrganizationMasterAccountException", true),
        ("InsufficientEncryptionPolicyException", true),
        ("KmsKeyNotFoundException", true),
        ("KmsKeyDisabledException", true),
        ("InvalidCloudWatchLogsLogGroupArnException", true),
        ("UnmodifiableEntityException", true),
        ("IncorrectState", false),
        ("InvalidDBInstanceState", false),
        ("NoSuchWidget", false),
    ] {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await;
        world.widgets.inject_fault(On::Apply, 1, InjectedFault::Refused(code, CallErrorKind::Rejected));
        let error = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(
            matches!(&error, Error::ActionFailed { terminal, .. } if *terminal == is_terminal),
            "{code}: {error:?}"
        );
        let state = if is_terminal { State::Finished } else { State::Open };
        assert_eq!(only(&world).await.state, state, "{code}");
    }
}

#[tokio::test]
async fn denied_action_is_terminal_and_its_retry_is_acknowledged() {
    let world = two_flags().await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, number: 2, .. }), "{error:?}");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));
    assert_eq!((tokens(&attempt), attempt.reason.as_str()), (vec![done("bottom", 101)], error.to_string().as_str()));
    assert_eq!(
        world.sandbox.announced().await,
        [announcement(&attempt, "Rectify Outcome", "failed", &[call("bottom")])]
    );
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.widgets.writes().len(), world.sandbox.announced().await.len()), (2, 0));
}

#[tokio::test]
async fn action_without_effect_is_not_verified() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::NoEffect);
    let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    let reason = "still NON_COMPLIANT: d-1: flags top are disabled; expected none".to_owned();
    assert_eq!(error, Error::NotVerified { attempt: attempt.id.clone(), reason });
    assert_eq!((error.kind(), attempt.outcome), ("NotVerified", Some(Outcome::Failed)));
    assert_eq!(world.sandbox.announced().await, [announcement(&attempt, "Rectify Outcome", "failed", &[call("top")])]);
}

#[tokio::test]
async fn finding_without_a_plan_is_not_verified() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("PARAMETERS", r#"{"plan": "nothing"}"#);
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "NotVerified");
    assert_eq!(world.widgets.writes(), []);
}

/// A change beside the plan is reported in the reason, and does not fail the attempt.
#[tokio::test]
async fn concurrent_change_is_reported_in_the_reason() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("PARAMETERS", r#"{"tolerated": "1"}"#);
    world.widgets.change("d-1", |widget| widget.set("bottom", true));
    let disabled_again = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        widgets.get_mut("d-1").unwrap().set("top", true);
    };
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::After(disabled_again));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(only(&world).await.reason, "differs from the plan: flags.top: expected `false`: found `true`");
}

#[tokio::test]
async fn pending_change_is_made_and_announced_once() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let settle = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        *widgets.get_mut("d-1").unwrap() = Widget { is_pending: true, ..Widget::disabled("d-1", &["top"]) };
    };
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::After(settle));
    for _ in 0..2 {
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Pending);
        assert_eq!(only(&world).await.state, State::Open);
    }
    assert_eq!(world.widgets.writes(), [Call::Apply(enable("top"))]);
    let attempt = only(&world).await;
    assert_eq!(world.sandbox.announced().await, [announcement(&attempt, "Rectify Outcome", "pending", &[call("top")])]);
    world.widgets.change("d-1", |widget| {
        widget.is_pending = false;
        widget.set("top", false);
    });
    assert_eq!(
        ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()),
        (attempt.id.as_str(), Outcome::Verified)
    );
    assert_eq!(world.widgets.writes().len(), 1);
    let attempt = only(&world).await;
    assert_eq!(
        world.sandbox.announced().await,
        [announcement(&attempt, "Rectify Outcome", "verified", &[call("top")])]
    );
}

#[tokio::test]
async fn name_is_resolved_once_if_it_differs_from_the_id() {
    use rectify_tests::replay::{Answer, Replay};
    let world = World::with([Widget::disabled("main-gate", &["top"])]).await.setting("MODE", "plan");
    let history = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": 1.5, "configurationItemStatus": "OK",
        "resourceType": "Rectify::Test::Widget", "resourceId": "D0R1", "resourceName": "main-gate", "awsRegion": REGION,
        "configuration": "{}"
    }]});
    let replay = Replay::of([Answer::ok(&history)]);
    let mut context = world.context_of(&NAMED_WIDGET_DISABLED);
    let region = rectify_compliance::Region::new(REGION);
    context.config = rectify_runtime::config_service::ConfigService::pool(&replay.sdk(REGION), &region);
    let event = finding("D0R1", RECORDED);
    let disposition = deliver_through(&context, &event, &delivery("w")).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Planned);
    assert_eq!(world.widgets.calls(), [Call::Read("main-gate".to_owned())]);
    let request = json!({"resourceType": "Rectify::Test::Widget", "resourceId": "D0R1", "limit": 1});
    assert_eq!(replay.requests(), [("GetResourceConfigHistory".to_owned(), request)]);
    let attempt = world.attempts("D0R1").await.pop().unwrap();
    assert_eq!(attempt.target.name.as_deref(), Some("main-gate"));
}
