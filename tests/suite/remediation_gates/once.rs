//! One remediation per finding: leases, concurrent workers, dead owners.

use super::*;

#[tokio::test]
async fn held_lease_fails_the_delivery_before_any_read() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_secs(60);
    let lease = world.ledger().lease(&path("d-1"), "another-worker", now, until).await.unwrap();
    let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&error, Error::LeaseHeld { owner, .. } if owner == "another-worker"), "{error:?}");
    assert_eq!((error.kind(), world.widgets.calls(), world.attempts("d-1").await), ("LeaseHeld", vec![], vec![]));
    world.ledger().release(&lease).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// A delivery waits for a worker that is about to finish: Lambda's retries are minutes apart.
#[tokio::test]
async fn delivery_waits_for_a_lease_that_is_released_soon() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let now = Timestamp::now();
    let lease =
        world.ledger().lease(&path("d-1"), "another-worker", now, now + jiff::SignedDuration::from_secs(60)).await;
    let (ledger, event) = (world.ledger(), finding("d-1", RECORDED));
    let soon = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        ledger.release(&lease.unwrap()).await.unwrap();
    };
    let ((), disposition) = tokio::join!(soon, world.deliver(&event));
    assert_eq!(ended(&disposition.unwrap()).1, Outcome::Verified);
}

/// A failed delivery releases its lease: the next owner can take it.
#[tokio::test]
async fn lease_is_released_after_a_failure() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Read, 1, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let until = Timestamp::now() + jiff::SignedDuration::from_secs(60);
    world.ledger().lease(&path("d-1"), "next", Timestamp::now(), until).await.unwrap();
}

#[tokio::test]
async fn worker_that_lost_its_lease_writes_nothing_more() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // The first worker's lease ends at once, and a second worker fixes the resource.
    let slow = CrashPoint::at(usize::MAX);
    let context = world.crashing_context(&slow);
    let now = Timestamp::now();
    let mut lost = world.ledger().lease(&path("d-1"), "first", now, now).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let disposition = deliver_through(&context, &finding("d-1", RECORDED), &delivery("second")).await.unwrap();
    let finished = only(&world).await;
    assert_eq!(ended(&disposition).1, Outcome::Verified);
    let mut stale = finished.clone();
    stale.reason = "stale".to_owned();
    for _ in 0..2 {
        let error = world.ledger().save(&lost, &stale).await.unwrap_err();
        assert_eq!(error, Error::Ledger(format!("lease of {}: lost by `first`", path("d-1").as_str())));
        assert_eq!(world.ledger().finish(&lost, &stale).await.unwrap_err().kind(), "LedgerUnavailable");
        assert_eq!(only(&world).await, finished);
        // The same again with the same owner and an older fencing number.
        let until = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        let old = std::mem::replace(
            &mut lost,
            world.ledger().lease(&path("d-1"), "first", Timestamp::now(), until).await.unwrap(),
        );
        world.ledger().release(&lost).await.unwrap();
        lost = old;
    }
}

/// `runtime/21`, `runtime/10`: exactly one of two concurrent deliveries of an event applies, however they interleave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_concurrent_deliveries_apply_once() {
    for round in 0..25 {
        let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
        let (first, second) = (world.context(), world.context());
        let event = finding("d-1", RECORDED);
        let (left_delivery, right_delivery) = (delivery("left"), delivery("right"));
        let (left, right) = tokio::join!(
            deliver_through(&first, &event, &left_delivery),
            deliver_through(&second, &event, &right_delivery),
        );
        let name = |result: &Result<Disposition, Error>| match result {
            Ok(disposition) => disposition.name(),
            Err(error) => error.kind(),
        };
        let mut names = [name(&left), name(&right)];
        names.sort_unstable();
        assert!(matches!(names, ["LeaseHeld" | "acknowledged", "verified"]), "round {round}: {names:?}");
        assert_eq!(world.widgets.writes().len(), 2, "round {round}");
        assert_eq!((only(&world).await.outcome, world.sandbox.budget_used().await), (Some(Outcome::Verified), 1));
        assert_eq!(world.sandbox.announced().await.len(), 1, "round {round}");
    }
}

/// By the second worker's clock the first one's lease has ended while it still works: a delivery that the ledger
/// refuses is retried, and both workers together make one attempt and one change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_with_clock_skew_make_one_change() {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    for round in 0..25 {
        let world = World::with([before.clone()]).await;
        let (first, second) = (world.context(), world.context());
        let event = finding("d-1", RECORDED);
        let (behind, on_time) = (doomed_delivery("behind"), delivery("on time"));
        let (left, right) =
            tokio::join!(deliver_through(&first, &event, &behind), deliver_through(&second, &event, &on_time),);
        for error in [left, right].into_iter().filter_map(Result::err) {
            assert!(["LeaseHeld", "LedgerUnavailable"].contains(&error.kind()), "round {round}: {error}");
        }
        let disposition = world.deliver(&event).await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        let attempt = only(&world).await;
        assert_eq!(disposition.attempt(), Some(attempt.id.as_str()), "round {round}");
        assert_eq!(attempt.outcome, Some(Outcome::Verified), "round {round}: {attempt:#?}");
        assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), before, "round {round}");
        assert_eq!(
            world.widgets.effects(),
            [Call::Apply(enable("bottom")), Call::Apply(enable("top"))],
            "round {round}"
        );
        assert_eq!(world.sandbox.budget_used().await, 1, "round {round}");
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "round {round}");
    }
}

/// `runtime/17`: many resources at once use exactly the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_resources_stay_within_the_budget() {
    let ids: Vec<String> = (0..12).map(|number| format!("d-{number}")).collect();
    let world = World::with(ids.iter().map(|id| Widget::disabled(id, &["top"]))).await;
    let context = std::sync::Arc::new(world.context());
    early_in_the_hour().await;
    let workers: Vec<_> = ids
        .iter()
        .map(|id| {
            let (context, event, delivery) = (context.clone(), finding(id, RECORDED), delivery(id));
            tokio::spawn(async move { deliver_through(&context, &event, &delivery).await })
        })
        .collect();
    let mut verified = 0;
    for worker in workers {
        match worker.await.unwrap() {
            Ok(disposition) => verified += usize::from(disposition.name() == "verified"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((verified, world.widgets.effects().len(), world.sandbox.budget_used().await), (5, 5, 5));
}

/// A later finding evaluates the resource again.
#[tokio::test]
async fn second_finding_about_a_resource_starts_a_new_attempt() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    world.widgets.change("d-1", |widget| widget.set("top", true));
    let disposition = world.deliver(&finding("d-1", "2026-03-04T05:30:00.000Z")).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Verified);
    let attempts = world.attempts("d-1").await;
    assert_eq!((attempts.len(), world.sandbox.budget_used().await), (2, 2));
    assert_ne!(attempts[0].id, attempts[1].id);
}

#[tokio::test]
async fn next_owner_resumes_the_attempt_with_its_prior_state() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // It fails at its second action: one flag is enabled, the other is not.
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("InternalError", CallErrorKind::Unavailable));
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let begun = only(&world).await;
    let now = Timestamp::now();
    world.ledger().lease(&path("d-1"), "dead", now, now).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()), (begun.id.as_str(), Outcome::Verified));
    let ended = only(&world).await;
    assert_eq!((ended.before, ended.target, ended.started_at), (begun.before, target("d-1"), begun.started_at));
}
