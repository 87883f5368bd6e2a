//! Breakers: what opens and what closes the breaker of a control and of a resource.

use rectify_runtime::ledger::{AuditEntry, CONTROL_LIMIT, OpenBreaker, RESOURCE_LIMIT};

use super::*;

/// Two more widgets than open a control's breaker.
async fn widgets_beyond_the_limit() -> World {
    let widgets = (0..CONTROL_LIMIT + 2).map(|number| Widget::disabled(&format!("d-{number}"), &["top"]));
    World::with(widgets).await.setting("MAX_FIXES_PER_HOUR", "100")
}

fn widget(number: usize) -> String {
    format!("d-{number}")
}

/// Delivers a request of the reconciler.
async fn request(world: &World, number: usize) -> Result<Disposition, Error> {
    let event = world.requested(&widget(number), RECORDED).await;
    world.deliver(&event).await
}

/// Makes the remediation of a widget fail temporarily: the control has no plan for it.
async fn fail(world: &mut World, number: usize) {
    world.set("PARAMETERS", r#"{"plan": "nothing"}"#);
    let error = request(world, number).await.unwrap_err();
    assert_eq!(error.kind(), "NotVerified", "{error}");
    world.set("PARAMETERS", "{}");
}

async fn outcome(world: &World, number: usize) -> Outcome {
    ended(&request(world, number).await.unwrap()).1
}

/// `safety/8`: a permanent refusal does not count against the control.
#[tokio::test]
async fn permanent_refusals_do_not_open_the_controls_breaker() {
    let world = widgets_beyond_the_limit().await;
    for number in 0..CONTROL_LIMIT {
        world.widgets.inject_fault(
            On::Apply,
            number + 1,
            InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        );
        let error = request(&world, number).await.unwrap_err();
        assert!(matches!(error, Error::ActionFailed { terminal: true, .. }), "{error}");
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
}

/// `safety/8`: 25 hours later the failed resources are requested first, as the reconciler does.
#[tokio::test]
async fn breaker_of_a_control_closes_although_the_failed_resources_fail_again() {
    let mut world = widgets_beyond_the_limit().await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::BreakerOpen);
    let attempt = world.attempts(&widget(CONTROL_LIMIT)).await.remove(0);
    let tail = ": remediations of 5 resources failed within 24 hours, and none succeeded since";
    assert!(attempt.reason.starts_with("breaker open until ") && attempt.reason.ends_with(tail), "{}", attempt.reason);
    let open = world.ledger().control_breaker("widget-disabled", Timestamp::now()).await.unwrap();
    assert!(matches!(open, Some(OpenBreaker::Control { resources: CONTROL_LIMIT, .. })), "{open:?}");
    world.sandbox.age(25).await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
}

#[tokio::test]
async fn failing_resource_opens_its_own_breaker_and_not_the_controls() {
    let mut world = widgets_beyond_the_limit().await;
    for _ in 0..RESOURCE_LIMIT {
        fail(&mut world, 0).await;
    }
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    let reason = world.attempts("d-0").await.pop().unwrap().reason;
    assert!(reason.ends_with(": its last 3 remediations failed"), "{reason}");

    // An operator resets it, in vain: six failures within a day, all of one resource.
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_resource_breaker(&path("d-0"), "widget-disabled", &act).await.unwrap();
    for _ in 0..RESOURCE_LIMIT {
        fail(&mut world, 0).await;
    }
    assert_eq!(world.ledger().control_breaker("widget-disabled", Timestamp::now()).await.unwrap(), None);
    assert_eq!(outcome(&world, 1).await, Outcome::Verified, "another resource");

    // A day later it is tried once, and then not for two days.
    world.sandbox.age(25).await;
    fail(&mut world, 0).await;
    world.sandbox.age(25).await;
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    world.sandbox.age(25).await;
    assert_eq!(outcome(&world, 0).await, Outcome::Verified);
    world.widgets.change("d-0", |widget| widget.set("top", true));
    let now = Timestamp::now();
    assert_eq!(world.ledger().open_breaker(&path("d-0"), "widget-disabled", None, now).await.unwrap(), None);
}

/// A permanent refusal is retried no more often than a temporary one.
#[tokio::test]
async fn permanently_refused_resource_opens_its_own_breaker() {
    let world = widgets_beyond_the_limit().await;
    for number in 1..=RESOURCE_LIMIT {
        world.widgets.inject_fault(
            On::Apply,
            number,
            InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        );
        request(&world, 0).await.unwrap_err();
    }
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_resource_breaker(&path("d-0"), "widget-disabled", &act).await.unwrap();
    assert_eq!(outcome(&world, 0).await, Outcome::Verified);
}

#[tokio::test]
async fn breaker_of_a_control_is_closed_by_a_success_and_by_an_operator() {
    let mut world = widgets_beyond_the_limit().await;
    for number in 0..CONTROL_LIMIT - 1 {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
    fail(&mut world, CONTROL_LIMIT - 1).await;
    let now = Timestamp::now();
    assert_eq!(
        world.ledger().control_breaker("widget-disabled", now).await.unwrap(),
        None,
        "a success resets the count"
    );

    let mut world = widgets_beyond_the_limit().await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::BreakerOpen);
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_control_breaker("widget-disabled", &act).await.unwrap();
    assert_eq!(outcome(&world, CONTROL_LIMIT + 1).await, Outcome::Verified);
}
