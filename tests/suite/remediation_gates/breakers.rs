//! Breakers: what opens them, for whom, and what closes them.

use rectify_runtime::ledger::{AuditEntry, CONTROL_LIMIT, OpenBreaker, RESOURCE_LIMIT};

use super::*;

/// As many widgets as open a control's breaker, and two more.
async fn house() -> World {
    let widgets = (0..CONTROL_LIMIT + 2).map(|number| Widget::disabled(&format!("d-{number}"), &["top"]));
    World::with(widgets).await.setting("BUDGET_PER_HOUR", "100")
}

fn widget(number: usize) -> String {
    format!("d-{number}")
}

/// What the reconciler requests.
async fn request(world: &World, number: usize) -> Result<Disposition, Error> {
    let event = world.requested(&widget(number), RECORDED).await;
    world.deliver(&event).await
}

/// Lets the remediation of a widget fail in a way that a later try may mend: the control plans nothing against it.
async fn fail(world: &mut World, number: usize) {
    world.set("PARAMETERS", r#"{"plan": "nothing"}"#);
    let fault = request(world, number).await.unwrap_err();
    assert_eq!(fault.kind(), "NotVerified", "{fault}");
    world.set("PARAMETERS", "{}");
}

async fn outcome(world: &World, number: usize) -> Outcome {
    ended(&request(world, number).await.unwrap()).1
}

/// `safety/8`: what a service will always refuse says nothing about the control.
#[tokio::test]
async fn resources_that_can_never_be_fixed_do_not_keep_others_from_being_fixed() {
    let world = house().await;
    for number in 0..CONTROL_LIMIT {
        world.widgets.disturb(
            On::Apply,
            number + 1,
            InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        );
        let fault = request(&world, number).await.unwrap_err();
        assert!(matches!(fault, Error::ActionFailed { terminal: true, .. }), "{fault}");
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
}

/// `safety/8`: 25 hours later those that failed are asked about first, as the reconciler does.
#[tokio::test]
async fn breaker_of_a_control_heals_although_those_that_opened_it_fail_again() {
    let mut world = house().await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::BreakerOpen);
    let attempt = world.attempts(&widget(CONTROL_LIMIT)).await.remove(0);
    let why = ": remediations of 5 resources failed within 24 hours, and none succeeded since";
    assert!(attempt.reason.starts_with("breaker open until ") && attempt.reason.ends_with(why), "{}", attempt.reason);
    let open = world.ledger().control_breaker("widget-disabled", Timestamp::now()).await.unwrap();
    assert!(matches!(open, Some(OpenBreaker::Control { resources: CONTROL_LIMIT, .. })), "{open:?}");
    world.around.age(25).await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
}

#[tokio::test]
async fn resource_that_fails_on_and_on_opens_its_own_breaker_and_not_the_controls() {
    let mut world = house().await;
    for _ in 0..RESOURCE_LIMIT {
        fail(&mut world, 0).await;
    }
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    let reason = world.attempts("d-0").await.pop().unwrap().reason;
    assert!(reason.ends_with(": its last 3 remediations failed"), "{reason}");

    // Somebody resets it, in vain: six failures within a day, and still of one resource.
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_resource_breaker(&path("d-0"), "widget-disabled", &act).await.unwrap();
    for _ in 0..RESOURCE_LIMIT {
        fail(&mut world, 0).await;
    }
    assert_eq!(world.ledger().control_breaker("widget-disabled", Timestamp::now()).await.unwrap(), None);
    assert_eq!(outcome(&world, 1).await, Outcome::Verified, "another one");

    // A day later it is tried once, and then left alone for two days.
    world.around.age(25).await;
    fail(&mut world, 0).await;
    world.around.age(25).await;
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    world.around.age(25).await;
    assert_eq!(outcome(&world, 0).await, Outcome::Verified);
    world.widgets.change("d-0", |widget| widget.set("top", true));
    let now = Timestamp::now();
    assert_eq!(world.ledger().open_breaker(&path("d-0"), "widget-disabled", None, now).await.unwrap(), None);
}

/// A service that refuses for good is tried no more often than one that may take it.
#[tokio::test]
async fn resource_that_is_refused_for_good_opens_its_own_breaker() {
    let world = house().await;
    for number in 1..=RESOURCE_LIMIT {
        world.widgets.disturb(On::Apply, number, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
        request(&world, 0).await.unwrap_err();
    }
    assert_eq!(outcome(&world, 0).await, Outcome::BreakerOpen);
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_resource_breaker(&path("d-0"), "widget-disabled", &act).await.unwrap();
    assert_eq!(outcome(&world, 0).await, Outcome::Verified);
}

#[tokio::test]
async fn breaker_of_a_control_is_closed_by_a_success_and_by_a_person() {
    let mut world = house().await;
    for number in 0..CONTROL_LIMIT - 1 {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::Verified);
    fail(&mut world, CONTROL_LIMIT - 1).await;
    let now = Timestamp::now();
    assert_eq!(world.ledger().control_breaker("widget-disabled", now).await.unwrap(), None, "a success begins anew");

    let mut world = house().await;
    for number in 0..CONTROL_LIMIT {
        fail(&mut world, number).await;
    }
    assert_eq!(outcome(&world, CONTROL_LIMIT).await, Outcome::BreakerOpen);
    let act = AuditEntry::now("jane", "breaker reset", "");
    world.ledger().reset_control_breaker("widget-disabled", &act).await.unwrap();
    assert_eq!(outcome(&world, CONTROL_LIMIT + 1).await, Outcome::Verified);
}
