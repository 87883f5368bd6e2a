//! One finding, one remediation: leases, two workers, dead owners.

use super::*;

#[tokio::test]
async fn held_lease_fails_the_delivery_before_anything_is_read() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_secs(60);
    let lease = world.ledger().lease(&path("d-1"), "somebody", now, until).await.unwrap();
    let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&fault, Error::LeaseHeld { owner, .. } if owner == "somebody"), "{fault:?}");
    assert_eq!((fault.kind(), world.widgets.calls(), world.attempts("d-1").await), ("LeaseHeld", vec![], vec![]));
    world.ledger().release(&lease).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// Somebody who is about to be done is waited for: Lambda's own retries are minutes apart.
#[tokio::test]
async fn lease_that_is_given_back_soon_is_waited_for() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let now = Timestamp::now();
    let lease = world.ledger().lease(&path("d-1"), "somebody", now, now + jiff::SignedDuration::from_secs(60)).await;
    let (ledger, event) = (world.ledger(), finding("d-1", RECORDED));
    let soon = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        ledger.release(&lease.unwrap()).await.unwrap();
    };
    let ((), handled) = tokio::join!(soon, world.deliver(&event));
    assert_eq!(ended(&handled.unwrap()).1, Outcome::Verified);
}

/// A lease is on the resource: another control waits as well.
#[tokio::test]
async fn lease_is_given_back_whatever_happened() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Read, 1, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let until = Timestamp::now() + jiff::SignedDuration::from_secs(60);
    world.ledger().lease(&path("d-1"), "next", Timestamp::now(), until).await.unwrap();
}

#[tokio::test]
async fn worker_that_lost_its_lease_writes_nothing_more() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // The first worker's lease is over at once; it hangs in its first action while a second one does the work.
    let slow = Life::of(usize::MAX);
    let shell = world.mortal_shell(&slow);
    let now = Timestamp::now();
    let mut lost = world.ledger().lease(&path("d-1"), "first", now, now).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let handled = deliver_through(&shell, &finding("d-1", RECORDED), &delivery("second")).await.unwrap();
    let finished = only(&world).await;
    assert_eq!(ended(&handled).1, Outcome::Verified);
    let mut stale = finished.clone();
    stale.reason = "what the first one thought".to_owned();
    for _ in 0..2 {
        let fault = world.ledger().save(&lost, &stale).await.unwrap_err();
        assert_eq!(fault, Error::Ledger(format!("lease of {}: lost by `first`", path("d-1").as_str())));
        assert_eq!(world.ledger().finish(&lost, &stale).await.unwrap_err().kind(), "LedgerUnavailable");
        assert_eq!(only(&world).await, finished);
        // The same again under the same name but an older fence.
        let until = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        let old = std::mem::replace(
            &mut lost,
            world.ledger().lease(&path("d-1"), "first", Timestamp::now(), until).await.unwrap(),
        );
        world.ledger().release(&lost).await.unwrap();
        lost = old;
    }
}

/// `runtime/21`, `runtime/10`: of two deliveries of one event exactly one applies, however they interleave.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_deliveries_at_the_same_time_apply_once() {
    for round in 0..25 {
        let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
        let (first, second) = (world.shell(), world.shell());
        let event = finding("d-1", RECORDED);
        let (left_delivery, right_delivery) = (delivery("left"), delivery("right"));
        let (left, right) = tokio::join!(
            deliver_through(&first, &event, &left_delivery),
            deliver_through(&second, &event, &right_delivery),
        );
        let word = |result: &Result<Disposition, Error>| match result {
            Ok(handled) => handled.name(),
            Err(fault) => fault.kind(),
        };
        let mut words = [word(&left), word(&right)];
        words.sort_unstable();
        assert!(matches!(words, ["LeaseHeld" | "acknowledged", "verified"]), "round {round}: {words:?}");
        assert_eq!(world.widgets.writes().len(), 2, "round {round}");
        assert_eq!((only(&world).await.outcome, world.around.budget_used().await), (Some(Outcome::Verified), 1));
        assert_eq!(world.around.announced().await.len(), 1, "round {round}");
    }
}

/// By the second worker's clock the first one's lease is over while it still works: whoever is refused by the ledger comes
/// again, and what both did is one attempt and one change.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_whose_clocks_disagree_make_one_change() {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    for round in 0..25 {
        let world = World::with([before.clone()]).await;
        let (first, second) = (world.shell(), world.shell());
        let event = finding("d-1", RECORDED);
        let (behind, on_time) = (doomed_delivery("behind"), delivery("on time"));
        let (left, right) =
            tokio::join!(deliver_through(&first, &event, &behind), deliver_through(&second, &event, &on_time),);
        for fault in [left, right].into_iter().filter_map(Result::err) {
            assert!(["LeaseHeld", "LedgerUnavailable"].contains(&fault.kind()), "round {round}: {fault}");
        }
        let handled = world.deliver(&event).await.unwrap_or_else(|fault| panic!("round {round}: {fault}"));
        let attempt = only(&world).await;
        assert_eq!(handled.attempt(), Some(attempt.id.as_str()), "round {round}");
        assert_eq!(attempt.outcome, Some(Outcome::Verified), "round {round}: {attempt:#?}");
        assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), before, "round {round}");
        assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))], "round {round}");
        assert_eq!(world.around.budget_used().await, 1, "round {round}");
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "round {round}");
    }
}

/// `runtime/17`: many resources at once take exactly the budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_resources_at_the_same_time_stay_within_the_budget() {
    let ids: Vec<String> = (0..12).map(|number| format!("d-{number}")).collect();
    let world = World::with(ids.iter().map(|id| Widget::disabled(id, &["top"]))).await;
    let shell = std::sync::Arc::new(world.shell());
    early_in_the_hour().await;
    let workers: Vec<_> = ids
        .iter()
        .map(|id| {
            let (shell, event, delivery) = (shell.clone(), finding(id, RECORDED), delivery(id));
            tokio::spawn(async move { deliver_through(&shell, &event, &delivery).await })
        })
        .collect();
    let mut verified = 0;
    for worker in workers {
        match worker.await.unwrap() {
            Ok(handled) => verified += usize::from(handled.name() == "verified"),
            Err(fault) => panic!("{fault}"),
        }
    }
    assert_eq!((verified, world.widgets.effects().len(), world.around.budget_used().await), (5, 5, 5));
}

/// Another control's worker meets the lease too; when it comes after, it judges what it finds.
#[tokio::test]
async fn second_finding_about_the_same_resource_starts_its_own_attempt() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    world.widgets.change("d-1", |widget| widget.set("top", true));
    let handled = world.deliver(&finding("d-1", "2026-03-04T05:30:00.000Z")).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::Verified);
    let attempts = world.attempts("d-1").await;
    assert_eq!((attempts.len(), world.around.budget_used().await), (2, 2));
    assert_ne!(attempts[0].id, attempts[1].id);
}

#[tokio::test]
async fn dead_owner_is_succeeded_with_the_same_attempt_and_the_same_before_image() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // It dies in its second action: one flag is shut, the other not.
    world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("InternalError", CallErrorKind::Unavailable));
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let begun = only(&world).await;
    let now = Timestamp::now();
    world.ledger().lease(&path("d-1"), "dead", now, now).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()), (begun.id.as_str(), Outcome::Verified));
    let ended = only(&world).await;
    assert_eq!((ended.before, ended.target, ended.started_at), (begun.before, target("d-1"), begun.started_at));
}
