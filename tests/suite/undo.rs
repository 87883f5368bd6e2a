//! Undo: what it restores, what it refuses, and the hold that prevents the fix from being made again.
//!
//! Labels such as `runtime/18` name the case a test is for.

mod interrupted;
mod unknown_answers;

use rectify_compliance::{ResourceState, Timestamp};
use rectify_runtime::ledger::{Attempt, Outcome, State};
use rectify_runtime::remediation::Disposition;
use rectify_runtime::remediation::undo::Undone;
use rectify_runtime::{CallErrorKind, Error};
use rectify_tests::controls::{NAMED_WIDGET_DISABLED, Undo, WIDGET_DISABLED, Widget};
use rectify_tests::crash_point::CrashPoint;
use rectify_tests::events::finding;
use rectify_tests::fake_service::{Call, InjectedFault, On};
use rectify_tests::remediation::{World, path};

/// When the first finding was recorded, and the next one after an undo.
const FIRST: &str = "2026-03-04T05:06:08.900Z";
const NEXT: &str = "2026-03-04T05:36:08.900Z";

fn disable(flag: &str, token: u32) -> Call {
    Call::Revert(Undo::DisableFlag { flag: flag.to_owned(), token })
}

fn before() -> Widget {
    Widget::disabled("d-1", &["bottom", "top"])
}

/// A widget that was fixed, and the attempt's id.
async fn enforced() -> (World, String) {
    let world = World::with([before()]).await;
    let disposition = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!(disposition.name(), "verified");
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), Vec::<&str>::new());
    let id = disposition.attempt().unwrap().to_owned();
    (world, id)
}

async fn stored(world: &World, id: &str) -> Attempt {
    world.ledger().attempt(WIDGET_DISABLED.meta.id, id).await.unwrap().unwrap()
}

fn writes_of_undo(world: &World) -> Vec<Call> {
    world.widgets.writes().into_iter().filter(|call| matches!(call, Call::Revert(_))).collect()
}

fn refusal(id: &str, reason: &str) -> Error {
    Error::UndoRefused { attempt: id.to_owned(), reason: reason.to_owned() }
}

#[tokio::test]
async fn fixed_widget_is_restored_and_held_and_the_next_finding_is_planned_only() {
    let (world, id) = enforced().await;
    let earliest = Timestamp::now() + jiff::SignedDuration::from_hours(7 * 24);
    let undone = world.undo(&id).await.unwrap();
    let Undone::Restored { calls, held_until } = undone else { panic!("{undone:?}") };
    let texts = [r#"DisableFlag {"Flag":"top","Token":102}"#, r#"DisableFlag {"Flag":"bottom","Token":101}"#];
    assert_eq!(calls, texts);
    assert!((earliest..earliest + jiff::SignedDuration::from_mins(5)).contains(&held_until), "{held_until}");
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
    assert_eq!(writes_of_undo(&world), [disable("top", 102), disable("bottom", 101)]);
    let record = stored(&world, &id).await.undo.unwrap();
    assert_eq!((record.by.as_str(), record.calls.len(), record.finished_at.is_some()), ("jane", 2, true));

    let disposition = world.deliver(&finding("d-1", NEXT)).await.unwrap();
    let Disposition::Ended { attempt, outcome: Outcome::Planned } = &disposition else { panic!("{disposition:?}") };
    let reason = stored(&world, attempt).await.reason;
    assert!(reason.starts_with("held by jane until ") && reason.ends_with(&format!(": undo of {id}")), "{reason}");
    assert_eq!(world.widgets.widget("d-1"), Some(before()));

    // Redo: the hold is ended and the finding is delivered again.
    world.ledger().end_hold(&path("d-1"), "widget-disabled", "jane").await.unwrap();
    assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "verified");
}

/// `runtime/19`
#[tokio::test]
async fn second_undo_does_nothing() {
    let (world, id) = enforced().await;
    world.undo(&id).await.unwrap();
    let calls = world.widgets.calls();
    assert_eq!(world.undo(&id).await.unwrap(), Undone::AlreadyUndone);
    assert_eq!(world.widgets.calls(), calls);
}

/// `runtime/18`
#[tokio::test]
async fn undo_after_another_change_is_refused_with_the_difference_and_without_a_hold() {
    let (world, id) = enforced().await;
    world.widgets.change("d-1", |widget| widget.set("top", true));
    let error = world.undo(&id).await.unwrap_err();
    assert_eq!(error, refusal(&id, "changed since: top: expected `false`: found `true`; the resource is not held"));
    assert_eq!((error.kind(), writes_of_undo(&world)), ("UndoRefused", vec![]));
    let hold = world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap();
    assert_eq!((hold, stored(&world, &id).await.undo), (None, None));
    // The lease is released: once the change is reverted, the attempt can be undone.
    world.widgets.change("d-1", |widget| widget.set("top", false));
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
}

#[tokio::test]
async fn change_of_other_fields_is_kept() {
    let (world, id) = enforced().await;
    world.widgets.change("d-1", |widget| widget.color = "red".to_owned());
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(Widget { color: "red".to_owned(), ..before() }));
}

#[tokio::test]
async fn planned_attempt_has_nothing_to_undo() {
    let world = World::with([before()]).await.setting("MODE", "plan");
    let disposition = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!(world.undo(disposition.attempt().unwrap()).await.unwrap(), Undone::NothingToUndo);
    assert_eq!(world.widgets.writes(), []);
    let hold = world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap();
    assert_eq!(hold, None);
}

#[tokio::test]
async fn attempt_of_another_control_and_unknown_attempt_are_refused() {
    let (world, id) = enforced().await;
    let error = world.undo_as(&NAMED_WIDGET_DISABLED, &id).await.unwrap_err();
    assert_eq!(error, refusal(&id, "no such attempt of control `named-widget-disabled`"));
    assert_eq!(world.undo("01ARZ3NDEKTSV4RRFFQ69G5FAV").await.unwrap_err().kind(), "UndoRefused");
    assert_eq!(writes_of_undo(&world), []);
}

#[tokio::test]
async fn undo_of_a_deleted_resource_is_refused() {
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Read, 4, InjectedFault::Before(std::collections::BTreeMap::clear));
    assert_eq!(world.undo(&id).await.unwrap_err(), refusal(&id, "the resource is gone; the resource is not held"));
}

#[tokio::test]
async fn irreversible_attempt_is_refused_before_any_call() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "welded"])]).await;
    let disposition = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    let id = disposition.attempt().unwrap();
    let error = world.undo(id).await.unwrap_err();
    assert_eq!(error, refusal(id, "EnableFlag: cannot be undone: the flag is welded; the resource is not held"));
    assert_eq!(writes_of_undo(&world), []);
    let hold = world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap();
    assert_eq!(hold, None);
}

#[tokio::test]
async fn undo_fails_while_another_worker_has_the_lease() {
    let (world, id) = enforced().await;
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_secs(60);
    world.ledger().lease(&path("d-1"), "another-worker", now, until).await.unwrap();
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "LeaseHeld");
    assert_eq!(writes_of_undo(&world), []);
}

#[tokio::test]
async fn partially_refused_undo_can_be_repeated() {
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 2, InjectedFault::Refused("NoKey", CallErrorKind::Rejected));
    let error = world.undo(&id).await.unwrap_err();
    assert_eq!(error.kind(), "UndoFailed");
    let hold = world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap().unwrap();
    let text = error.to_string();
    let reason = "call 2 of 2: widgets:DisableFlag: NoKey: as scripted: calls made before it: 1; another undo continues from there";
    assert_eq!(text, format!("undo {id}: {reason}; held by jane until {}", hold.until));
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), ["top"]);
    // Until then the hold prevents the fix.
    assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "planned");
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
}

#[tokio::test]
async fn undo_without_effect_fails_and_is_not_recorded_as_done() {
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 1, InjectedFault::NoEffect);
    let error = world.undo(&id).await.unwrap_err();
    let reason =
        "every call succeeded, but the resource is not restored: top: expected `true`: found `false`; held by jane";
    assert!(error.kind() == "UndoFailed" && error.to_string().contains(reason), "{error}");
    assert_eq!(stored(&world, &id).await.undo.unwrap().finished_at, None);
    // Both calls were answered, so the enabled flag counts as another change: an operator decides.
    let error = world.undo(&id).await.unwrap_err();
    let reason = "changed since: bottom: expected `false`: found `true`; held by jane";
    assert!(error.kind() == "UndoRefused" && error.to_string().contains(reason), "{error}");
    assert!(matches!(world.undo_overwriting(&id).await.unwrap(), Undone::Restored { .. }));
}

/// An interrupted attempt is in progress: its next delivery would resume it, unless undo ends it.
#[tokio::test]
async fn interrupted_attempt_is_ended_by_undo_and_not_resumed() {
    let world = World::with([before()]).await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err();
    let id = world.attempts("d-1").await.pop().unwrap().id;
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!((world.widgets.widget("d-1"), stored(&world, &id).await.state), (Some(before()), State::Finished));
    for recorded in [FIRST, NEXT] {
        assert_eq!(world.deliver(&finding("d-1", recorded)).await.unwrap().name(), "planned", "{recorded}");
    }
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
}

/// Whatever step it dies at, undo can be repeated and restores the widget, and no finding in between is fixed.
#[tokio::test]
async fn undo_can_be_repeated_after_a_crash_at_any_step() {
    let mut step = 1;
    loop {
        let (world, id) = enforced().await;
        let crash_point = CrashPoint::at(step);
        let sdk = world.crashing_sdk(&crash_point);
        tokio::select! {
            undone = world.undo_over(&WIDGET_DISABLED, &sdk, &id) => {
                assert!(matches!(undone.unwrap(), Undone::Restored { .. }));
                break;
            }
            () = async { while !crash_point.is_reached() { tokio::time::sleep(std::time::Duration::from_millis(1)).await; } } => {}
        }
        world.widgets.crash_at(&CrashPoint::at(usize::MAX));
        world.end_lease("d-1").await;
        let found = world.deliver(&finding("d-1", NEXT)).await.unwrap();
        assert!(["planned", "already-compliant"].contains(&found.name()), "{step}: {found:?}");
        let undone = world.undo(&id).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        assert!(matches!(undone, Undone::Restored { .. } | Undone::AlreadyUndone), "{step}: {undone:?}");
        assert_eq!(world.widgets.widget("d-1"), Some(before()), "{step}");
        let stored = stored(&world, &id).await.before.unwrap().read::<Widget>().unwrap();
        assert_eq!(stored.identity().key, before().identity().key);
        assert_eq!(world.widgets.effects().len(), 4, "{step}");
        step += 1;
    }
    assert!(step > 20, "a whole undo has {step} steps");
}
