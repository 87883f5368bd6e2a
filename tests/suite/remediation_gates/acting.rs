//! Gates 10 to 13: reading once more, applying, verifying, telling.

use super::*;
use rectify_tests::controls::NAMED_WIDGET_AJAR;

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
    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempt = only(&world).await;
    assert_eq!(ended(&handled), (attempt.id.as_str(), Outcome::Verified));
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
    let told = announcement(&attempt, "Rectify Outcome", "verified", &[call("bottom"), call("top")]);
    assert_eq!(world.around.announced().await, [told]);
    assert_eq!(world.around.budget_used().await, 1);
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.widgets.writes().len(), world.around.announced().await.len()), (2, 0));
}

#[tokio::test]
async fn request_of_the_reconciler_is_handled_like_a_finding() {
    let world = two_flags().await;
    let event = world.requested("d-1", RECORDED).await;
    assert_eq!(ended(&world.deliver(&event).await.unwrap()).1, Outcome::Verified);
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
}

#[tokio::test]
async fn subject_that_changes_between_the_reads_is_planned_for_anew() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let another = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        let widget = widgets.get_mut("d-1").unwrap();
        widget.set("bottom", true);
    };
    world.widgets.disturb(On::Read, 2, InjectedFault::Before(another));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let attempt = only(&world).await;
    assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), Widget::disabled("d-1", &["bottom", "top"]));
    assert_eq!(serde_json::to_value(&attempt.plan).unwrap(), plan(&["bottom", "top"], "L1"));
    assert_eq!(world.widgets.writes(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))]);
    assert_eq!(world.around.budget_used().await, 1);
}

#[tokio::test]
async fn subject_that_never_holds_still_is_left_alone() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    for read in [2, 4, 6] {
        let repaint = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
            widgets.get_mut("d-1").unwrap().color.push('!');
        };
        world.widgets.disturb(On::Read, read, InjectedFault::Before(repaint));
    }
    let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert_eq!(fault, Error::ConcurrentModification { resource: "Rectify::Test::Widget d-1".to_owned(), times: 3 });
    assert_eq!((fault.kind(), world.widgets.writes(), world.widgets.calls().len()), ("ResourceUnsteady", vec![], 6));
    let begun = only(&world).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()), (begun.id.as_str(), Outcome::Verified));
    let color = only(&world).await.before.unwrap().read::<Widget>().unwrap().color;
    assert_eq!((color.as_str(), world.around.budget_used().await), ("!!!", 1));
}

#[tokio::test]
async fn failure_at_the_second_action_keeps_the_first_and_is_resumed() {
    let world = two_flags().await;
    world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("InternalError", CallErrorKind::Unavailable));
    let fault = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    let expected = Error::ActionFailed {
        attempt: attempt.id.clone(),
        number: 2,
        total: 2,
        reason: "widgets:EnableFlag: InternalError: as scripted".to_owned(),
        terminal: false,
    };
    assert_eq!(fault, expected);
    assert_eq!(tokens(&attempt), [done("bottom", 101), (call("top"), None)]);
    assert_eq!((attempt.state, attempt.outcome), (State::Open, Some(Outcome::Failed)));
    let told = announcement(&attempt, "Rectify Outcome", "failed", &[call("bottom"), call("top")]);
    assert_eq!(world.around.announced().await, [told]);

    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let resumed = only(&world).await;
    assert_eq!(ended(&handled), (attempt.id.as_str(), Outcome::Verified));
    assert_eq!(tokens(&resumed), [done("bottom", 101), done("top", 102)]);
    assert_eq!(resumed.before, attempt.before);
    assert_eq!((resumed.reason.as_str(), world.around.budget_used().await), ("as planned", 1));
    assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))]);
}

/// What a person said between two deliveries is obeyed by the second: a hold, or a lower mode.
#[tokio::test]
async fn what_is_left_of_an_attempt_passes_the_gates_anew() {
    for held in [true, false] {
        let mut world = two_flags().await;
        world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
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
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&handled), (attempt.id.as_str(), Outcome::Planned));
        assert_eq!(attempt.reason, format!("{reason}; 1 of 2 actions were made before"));
        assert_eq!(attempt.state, State::Finished);
        assert_eq!(tokens(&attempt), [done("bottom", 101)]);
        assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom"))]);
    }
}

#[tokio::test]
async fn throttled_action_is_known_not_to_have_arrived() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    assert_eq!(only(&world).await.actions, []);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!((world.attempts("d-1").await.len(), world.around.budget_used().await), (1, 1));
}

/// The announcement of a failure that every retry repeats goes out once.
#[tokio::test]
async fn repeated_failure_is_announced_once() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    for apply in 1..=3 {
        world.widgets.disturb(On::Apply, apply, InjectedFault::Refused("InternalError", CallErrorKind::Unavailable));
    }
    for _ in 0..3 {
        assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    }
    assert_eq!(world.around.announced().await.len(), 1);
}

/// What the service will refuse again is not tried again; what it may take a moment later is.
#[tokio::test]
async fn refusal_that_cannot_change_is_final_and_another_is_not() {
    for (code, is_final) in [
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
        world.widgets.disturb(On::Apply, 1, InjectedFault::Refused(code, CallErrorKind::Rejected));
        let fault = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(matches!(&fault, Error::ActionFailed { terminal, .. } if *terminal == is_final), "{code}: {fault:?}");
        let state = if is_final { State::Finished } else { State::Open };
        assert_eq!(only(&world).await.state, state, "{code}");
    }
}

#[tokio::test]
async fn denied_action_is_final_and_its_retry_is_acknowledged() {
    let world = two_flags().await;
    world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&fault, Error::ActionFailed { terminal: true, number: 2, .. }), "{fault:?}");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));
    assert_eq!((tokens(&attempt), attempt.reason.as_str()), (vec![done("bottom", 101)], fault.to_string().as_str()));
    assert_eq!(
        world.around.announced().await,
        [announcement(&attempt, "Rectify Outcome", "failed", &[call("bottom")])]
    );
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.widgets.writes().len(), world.around.announced().await.len()), (2, 0));
}

#[tokio::test]
async fn action_the_service_swallows_is_not_verified() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::Swallowed);
    let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    let reason = "still NON_COMPLIANT: d-1: flags top are disabled; expected none".to_owned();
    assert_eq!(fault, Error::NotVerified { attempt: attempt.id.clone(), reason });
    assert_eq!((fault.kind(), attempt.outcome), ("NotVerified", Some(Outcome::Failed)));
    assert_eq!(world.around.announced().await, [announcement(&attempt, "Rectify Outcome", "failed", &[call("top")])]);
}

#[tokio::test]
async fn finding_without_a_plan_against_it_is_not_verified() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("PARAMETERS", r#"{"plan": "nothing"}"#);
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "NotVerified");
    assert_eq!(world.widgets.writes(), []);
}

/// What changed beside the plan is told, and is no failure of ours.
#[tokio::test]
async fn change_by_somebody_else_at_the_same_time_is_told() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("PARAMETERS", r#"{"tolerated": "1"}"#);
    world.widgets.change("d-1", |widget| widget.set("bottom", true));
    let disabled_again = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        widgets.get_mut("d-1").unwrap().set("top", true);
    };
    world.widgets.disturb(On::Apply, 2, InjectedFault::After(disabled_again));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(only(&world).await.reason, "differs from the plan: flags.top: expected `false`: found `true`");
}

#[tokio::test]
async fn change_the_service_still_works_on_is_pending_and_neither_made_nor_told_twice() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let settle = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        *widgets.get_mut("d-1").unwrap() = Widget { settling: true, ..Widget::disabled("d-1", &["top"]) };
    };
    world.widgets.disturb(On::Apply, 1, InjectedFault::After(settle));
    for _ in 0..2 {
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Pending);
        assert_eq!(only(&world).await.state, State::Open);
    }
    assert_eq!(world.widgets.writes(), [Call::Apply(shut("top"))]);
    let attempt = only(&world).await;
    assert_eq!(world.around.announced().await, [announcement(&attempt, "Rectify Outcome", "pending", &[call("top")])]);
    world.widgets.change("d-1", |widget| {
        widget.settling = false;
        widget.set("top", false);
    });
    assert_eq!(
        ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()),
        (attempt.id.as_str(), Outcome::Verified)
    );
    assert_eq!(world.widgets.writes().len(), 1);
    let attempt = only(&world).await;
    assert_eq!(world.around.announced().await, [announcement(&attempt, "Rectify Outcome", "verified", &[call("top")])]);
}

#[tokio::test]
async fn name_is_resolved_once_where_the_id_is_not_the_name() {
    use rectify_tests::replay::{Answer, Replay};
    let world = World::with([Widget::disabled("main-gate", &["top"])]).await.setting("MODE", "plan");
    let known = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": 1.5, "configurationItemStatus": "OK",
        "resourceType": "Rectify::Test::Widget", "resourceId": "D0R1", "resourceName": "main-gate", "awsRegion": REGION,
        "configuration": "{}"
    }]});
    let replay = Replay::of([Answer::ok(&known)]);
    let mut shell = world.shell_of(&NAMED_WIDGET_AJAR);
    shell.config = rectify_runtime::config_service::ConfigService::new(&replay.sdk(REGION));
    let event = finding("D0R1", RECORDED);
    let handled = deliver_through(&shell, &event, &delivery("w")).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::Planned);
    assert_eq!(world.widgets.calls(), [Call::Read("main-gate".to_owned())]);
    let asked = json!({"resourceType": "Rectify::Test::Widget", "resourceId": "D0R1", "limit": 1});
    assert_eq!(replay.requests(), [("GetResourceConfigHistory".to_owned(), asked)]);
    let attempt = world.attempts("D0R1").await.pop().unwrap();
    assert_eq!(attempt.target.name.as_deref(), Some("main-gate"));
}
