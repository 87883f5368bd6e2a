//! Gates 0 to 9: everything that ends a delivery before the resource is changed.

use super::*;

async fn disabled() -> World {
    World::with([Widget::disabled("d-1", &["top"])]).await
}

/// Delivers the finding twice: nothing is changed, and the one attempt has this reason and is announced once.
async fn assert_planned_only(world: &World, reason: &str) {
    let event = finding("d-1", RECORDED);
    let first = world.deliver(&event).await.unwrap();
    let attempt = only(world).await;
    assert_eq!(ended(&first), (attempt.id.as_str(), Outcome::Planned));
    assert_eq!((attempt.state, attempt.reason.as_str(), attempt.actions.len()), (State::Finished, reason, 0));
    let again = world.deliver(&event).await.unwrap();
    assert!(matches!(&again, Disposition::Acknowledged(it) if it.attempt == attempt.id), "{again:?}");
    assert_eq!(world.attempts("d-1").await.len(), 1);
    assert_eq!(world.sandbox.announced().await, [announcement(&attempt, "Rectify Plan", "planned", &[])]);
    assert_eq!((world.widgets.writes(), world.sandbox.budget_used().await), (vec![], 0));
}

#[tokio::test]
async fn kill_switch_for_all_or_for_the_control_is_obeyed_recorded_and_released() {
    for scope in ["*", "widget-disabled"] {
        let world = disabled().await;
        let since: Timestamp = "2026-03-04T00:00:00Z".parse().unwrap();
        let stop = StopSwitch { scope: scope.to_owned(), by: "jane".to_owned(), reason: "drill".to_owned(), since };
        world.ledger().stop(&stop).await.unwrap();
        let event = finding("d-1", RECORDED);
        let disposition = world.deliver(&event).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Stopped));
        assert_eq!(attempt.reason, "stopped by jane since 2026-03-04T00:00:00Z: drill");
        let again = world.deliver(&event).await.unwrap();
        assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
        assert_eq!(world.sandbox.announced().await, [announcement(&attempt, "Rectify Stop", "stopped", &[])]);
        assert_eq!(world.widgets.calls(), []);
        world.ledger().resume(scope, "jane").await.unwrap();
        let disposition = world.deliver(&event).await.unwrap();
        assert_eq!(ended(&disposition).1, Outcome::Verified);
        assert_eq!(world.widgets.writes(), [Call::Apply(enable("top"))]);
    }
}

#[tokio::test]
async fn kill_switch_of_another_control_is_ignored() {
    let world = disabled().await;
    let stop = |scope: &str| StopSwitch {
        scope: scope.to_owned(),
        by: String::new(),
        reason: String::new(),
        since: Timestamp::UNIX_EPOCH,
    };
    world.ledger().stop(&stop("widget-disabled-too")).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// `runtime/13` is the row with the rule name of a conformance pack.
#[tokio::test]
async fn unrelated_events_are_ignored_and_not_recorded() {
    let world = disabled().await.setting("RULE_NAMES", "rectify-widget-disabled,widget-disabled-conformance-pack-*");
    let with = |edit: fn(&mut Value)| {
        let mut event = finding("d-1", RECORDED);
        edit(&mut event);
        event
    };
    let events = [
        (with(|it| it["detail-type"] = json!("Config Configuration Item Change")), "source or detail type"),
        (with(|it| it["source"] = json!("rectify")), "source or detail type"),
        (with(|it| it["detail"]["newEvaluationResult"]["complianceType"] = json!("COMPLIANT")), "not a finding"),
        (with(|it| it["detail"]["newEvaluationResult"]["complianceType"] = json!("NOT_APPLICABLE")), "not a finding"),
        (with(|it| it["detail"]["messageType"] = json!("ConfigRulesEvaluationStarted")), "not a finding"),
        (with(|it| it["detail"]["configRuleName"] = json!("rectify-widget-disabled-too")), "another rule"),
        (with(|it| it["detail"]["resourceType"] = json!("AWS::EC2::Volume")), "another resource type"),
    ];
    for (event, reason) in events {
        assert_eq!(world.deliver(&event).await.unwrap(), Disposition::Ignored(reason));
    }
    assert_eq!((world.widgets.calls(), world.attempts("d-1").await), (vec![], vec![]));
    let routed = with(|it| it["detail"]["configRuleName"] = json!("widget-disabled-conformance-pack-abc"));
    assert_eq!(ended(&world.deliver(&routed).await.unwrap()).1, Outcome::Verified);
}

#[tokio::test]
async fn malformed_events_fail_and_are_not_recorded() {
    let world = disabled().await;
    for (pointer, value) in [
        ("/detail/newEvaluationResult", Value::Null),
        ("/detail/newEvaluationResult/resultRecordedTime", json!("now")),
        ("/detail/resourceId", json!("")),
        ("/detail/awsAccountId", Value::Null),
        ("/detail-type", json!(7)),
    ] {
        let mut event = finding("d-1", RECORDED);
        *event.pointer_mut(pointer).unwrap() = value;
        let error = world.deliver(&event).await.unwrap_err();
        assert_eq!(error.kind(), "UnexpectedShape", "{pointer}");
    }
    assert_eq!((world.widgets.calls(), world.attempts("d-1").await), (vec![], vec![]));
}

#[tokio::test]
async fn modes_below_plan_ignore_events() {
    for mode in ["off", "observe"] {
        let world = disabled().await.setting("MODE", mode);
        assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap(), Disposition::Ignored("mode"));
        assert_eq!(world.widgets.calls(), []);
    }
}

/// `runtime/10`: announced once however often the event is delivered. `runtime/20`: the calls are those that mode
/// `enforce` makes.
#[tokio::test]
async fn mode_plan_records_and_announces_once_the_calls_of_enforce() {
    let mut world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await.setting("MODE", "plan");
    assert_planned_only(&world, "mode plan").await;
    let planned = only(&world).await;
    assert_eq!(serde_json::to_value(&planned.plan).unwrap(), plan(&["bottom", "top"], "L1"));
    world.set("MODE", "enforce");
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let enforced = world.ledger().attempt("widget-disabled", ended(&disposition).0).await.unwrap().unwrap();
    assert_eq!(enforced.plan, planned.plan);
    assert_eq!(world.widgets.writes(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
}

#[tokio::test]
async fn steps_above_the_allowed_level_are_planned_only() {
    for (kind, allow_l2, reason) in [
        ("risky", "false", "a step of level L2 is not allowed for this control"),
        ("destructive", "true", "a step of level L3 is never applied automatically"),
        ("manual", "true", "a step requires an operator"),
        ("blocked", "true", "the widget is in use"),
    ] {
        let parameters = json!({"plan": kind}).to_string();
        let world = disabled().await.setting("PARAMETERS", &parameters).setting("ALLOW_L2", allow_l2);
        assert_planned_only(&world, reason).await;
    }
}

#[tokio::test]
async fn step_of_level_l2_is_applied_with_opt_in() {
    let world = disabled().await.setting("PARAMETERS", r#"{"plan": "risky"}"#).setting("ALLOW_L2", "true");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

#[tokio::test]
async fn held_resource_is_planned_until_the_hold_ends() {
    let world = disabled().await;
    let until: Timestamp = "2999-01-01T00:00:00Z".parse().unwrap();
    let mut hold =
        Hold { control: "widget-disabled".to_owned(), by: "jane".to_owned(), reason: "painting".to_owned(), until };
    world.ledger().set_hold(&path("d-1"), &hold).await.unwrap();
    assert_planned_only(&world, "held by jane until 2999-01-01T00:00:00Z: painting").await;
    hold.until = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    world.ledger().set_hold(&path("d-1"), &hold).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

#[tokio::test]
async fn resource_managed_by_cloudformation_is_planned_and_the_stack_is_named() {
    let managed = || {
        let tags = [("aws:cloudformation:stack-name".to_owned(), "house".to_owned())].into();
        Widget { tags, ..Widget::disabled("d-1", &["top"]) }
    };
    let world = World::with([managed()]).await;
    assert_planned_only(&world, "managed by CloudFormation stack `house`").await;
    let world = World::with([managed()]).await.setting("REMEDIATE_MANAGED_STACKS", "true");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// `runtime/17`
#[tokio::test]
async fn sixth_resource_of_an_hour_is_over_budget_recorded_and_announced_once() {
    let widgets = (1..=7).map(|number| Widget::disabled(&format!("d-{number}"), &["top"]));
    let world = World::with(widgets).await;
    early_in_the_hour().await;
    for number in 1..=5 {
        let disposition = world.deliver(&finding(&format!("d-{number}"), RECORDED)).await.unwrap();
        assert_eq!(ended(&disposition).1, Outcome::Verified);
    }
    assert_eq!(world.sandbox.announced().await.len(), 5);
    assert_eq!(ended(&world.deliver(&finding("d-6", RECORDED)).await.unwrap()).1, Outcome::OverBudget);
    let again = world.deliver(&finding("d-6", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    let attempt = world.attempts("d-6").await.pop().unwrap();
    assert_eq!((attempt.outcome, attempt.reason.as_str()), (Some(Outcome::OverBudget), "budget of 5 an hour used up"));
    assert_eq!(serde_json::to_value(&attempt.plan).unwrap(), plan(&["top"], "L1"));
    assert_eq!(world.attempts("d-6").await.len(), 1);
    let announced = world.sandbox.announced().await;
    assert_eq!(announced, [announcement(&attempt, "Rectify Budget Stop", "over-budget", &[])]);
    assert_eq!(world.widgets.widget("d-6"), Some(Widget::disabled("d-6", &["top"])));
    // The seventh is recorded as well, and the budget stop of the hour is not announced again.
    assert_eq!(ended(&world.deliver(&finding("d-7", RECORDED)).await.unwrap()).1, Outcome::OverBudget);
    assert_eq!(world.attempts("d-7").await.pop().unwrap().outcome, Some(Outcome::OverBudget));
    assert_eq!(world.sandbox.announced().await, []);
    assert_eq!(world.sandbox.budget_used().await, 5);
}

#[tokio::test]
async fn budget_of_zero_enforces_nothing() {
    let world = disabled().await.setting("MAX_FIXES_PER_HOUR", "0");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::OverBudget);
    assert_eq!(world.widgets.writes(), []);
}

#[tokio::test]
async fn deleted_resource_ends_as_gone() {
    let world = World::with([]).await;
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Gone);
    assert_eq!(world.sandbox.announced().await, []);
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
}

/// `runtime/12`
#[tokio::test]
async fn resource_that_is_already_compliant_is_not_changed() {
    let world = World::with([Widget::disabled("d-1", &[])]).await;
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::AlreadyCompliant);
    assert_eq!(only(&world).await.reason, "already compliant");
    assert_eq!((world.widgets.writes(), world.sandbox.announced().await), (vec![], vec![]));
}

#[tokio::test]
async fn resource_that_is_not_applicable_is_not_changed() {
    let invisible = Widget { color: "invisible".to_owned(), ..Widget::disabled("d-1", &["top"]) };
    let world = World::with([invisible]).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::NotApplicable);
    assert_eq!(world.widgets.writes(), []);
}

#[tokio::test]
async fn denied_live_read_fails_and_records_nothing() {
    let world = disabled().await;
    world.widgets.inject_fault(On::Read, 1, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "AccessDenied");
    assert_eq!((world.widgets.writes(), world.attempts("d-1").await), (vec![], vec![]));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

#[tokio::test]
async fn invalid_parameters_fail_before_the_resource_is_read() {
    let world = disabled().await.setting("PARAMETERS", r#"{"tolerated": "many"}"#);
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "InvalidParameter");
    assert_eq!(world.widgets.calls(), []);
}

#[tokio::test]
async fn unreachable_ledger_prevents_every_call() {
    let in_emulator = || World::in_emulator([Widget::disabled("d-1", &["top"])]);
    let world = in_emulator().await.setting("LEDGER_TABLE", "no-such-table");
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(world.widgets.calls(), []);
    let world = in_emulator().await;
    // The discard port: nothing listens there.
    let context = world.context_over(&rectify_tests::emulator::sdk_at("http://127.0.0.1:9"));
    let result = deliver_through(&context, &finding("d-1", RECORDED), &delivery("w")).await;
    assert_eq!(result.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(world.widgets.calls(), []);
}

#[tokio::test]
async fn resource_with_a_state_too_large_to_store_is_not_changed() {
    for size in [1_800_000, 5_000_000] {
        let world = World::with([Widget { color: "x".repeat(size), ..Widget::disabled("d-1", &["top"]) }]).await;
        let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert_eq!(error.kind(), "LedgerUnavailable", "{error}");
        assert_eq!((world.widgets.writes(), world.sandbox.budget_used().await), (vec![], 0), "{size}");
    }
}
