//! The way back: what undo restores, what it refuses, and that the fix does not come again by itself.
//!
//! Labels such as `runtime/18` name the case a test is for.

mod broken_off;
mod unknown_answers;

use rectify_compliance::{Image, Timestamp};
use rectify_runtime::ledger::{Attempt, Outcome, State};
use rectify_runtime::remediation::Handled;
use rectify_runtime::remediation::undo::Undone;
use rectify_runtime::{CallErrorKind, Fault};
use rectify_tests::controls::{DOOR_AJAR, Door, NAMED_DOOR_AJAR, Undo};
use rectify_tests::doors::{Call, On, Trouble};
use rectify_tests::events::finding;
use rectify_tests::mortal::Life;
use rectify_tests::remediation::{World, path};

/// When the first finding was recorded, and when the next one is after an undo.
const FIRST: &str = "2026-03-04T05:06:08.900Z";
const NEXT: &str = "2026-03-04T05:36:08.900Z";

fn draw(bolt: &str, seal: u32) -> Call {
    Call::Revert(Undo::DrawBolt { bolt: bolt.to_owned(), seal })
}

fn before() -> Door {
    Door::drawn("d-1", &["bottom", "top"])
}

/// A door that was violating and is enforced, and the attempt's id.
async fn enforced() -> (World, String) {
    let world = World::with([before()]).await;
    let handled = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!(handled.name(), "verified");
    assert_eq!(world.doors.door("d-1").unwrap().open_bolts(), Vec::<&str>::new());
    let id = handled.attempt().unwrap().to_owned();
    (world, id)
}

async fn stored(world: &World, id: &str) -> Attempt {
    world.ledger().attempt(DOOR_AJAR.meta.id, id).await.unwrap().unwrap()
}

fn writes_of_undo(world: &World) -> Vec<Call> {
    world.doors.writes().into_iter().filter(|call| matches!(call, Call::Revert(_))).collect()
}

fn refusal(id: &str, reason: &str) -> Fault {
    Fault::UndoRefused { attempt: id.to_owned(), reason: reason.to_owned() }
}

#[tokio::test]
async fn enforced_door_is_restored_and_held_and_the_next_finding_is_planned_only() {
    let (world, id) = enforced().await;
    let earliest = Timestamp::now() + jiff::SignedDuration::from_hours(7 * 24);
    let undone = world.undo(&id).await.unwrap();
    let Undone::Restored { calls, held_until } = undone else { panic!("{undone:?}") };
    let texts = [r#"DrawBolt {"Bolt":"top","Seal":102}"#, r#"DrawBolt {"Bolt":"bottom","Seal":101}"#];
    assert_eq!(calls, texts);
    assert!((earliest..earliest + jiff::SignedDuration::from_mins(5)).contains(&held_until), "{held_until}");
    assert_eq!(world.doors.door("d-1"), Some(before()));
    assert_eq!(writes_of_undo(&world), [draw("top", 102), draw("bottom", 101)]);
    let record = stored(&world, &id).await.undo.unwrap();
    assert_eq!((record.by.as_str(), record.calls.len(), record.finished_at.is_some()), ("jane", 2, true));

    let handled = world.deliver(&finding("d-1", NEXT)).await.unwrap();
    let Handled::Ended { attempt, outcome: Outcome::Planned } = &handled else { panic!("{handled:?}") };
    let reason = stored(&world, attempt).await.reason;
    assert!(reason.starts_with("held by jane until ") && reason.ends_with(&format!(": undo of {id}")), "{reason}");
    assert_eq!(world.doors.door("d-1"), Some(before()));

    // Redo: the hold is ended, the finding comes again.
    world.ledger().end_hold(&path("d-1"), "door-ajar", "jane").await.unwrap();
    assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "verified");
}

/// `runtime/19`
#[tokio::test]
async fn second_undo_does_nothing() {
    let (world, id) = enforced().await;
    world.undo(&id).await.unwrap();
    let calls = world.doors.calls();
    assert_eq!(world.undo(&id).await.unwrap(), Undone::AlreadyUndone);
    assert_eq!(world.doors.calls(), calls);
}

/// `runtime/18`
#[tokio::test]
async fn change_by_somebody_else_since_is_refused_with_the_difference_and_nothing_is_held() {
    let (world, id) = enforced().await;
    world.doors.change("d-1", |door| door.set("top", true));
    let fault = world.undo(&id).await.unwrap_err();
    assert_eq!(fault, refusal(&id, "changed since: top: expected `false`: found `true`; the resource is not held"));
    assert_eq!((fault.kind(), writes_of_undo(&world)), ("UndoRefused", vec![]));
    let hold = world.ledger().hold_on(&path("d-1"), "door-ajar", Timestamp::now()).await.unwrap();
    assert_eq!((hold, stored(&world, &id).await.undo), (None, None));
    // The lease went back: once the change is taken back, so may be the attempt.
    world.doors.change("d-1", |door| door.set("top", false));
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
}

#[tokio::test]
async fn change_beside_the_footprint_is_kept() {
    let (world, id) = enforced().await;
    world.doors.change("d-1", |door| door.colour = "red".to_owned());
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.doors.door("d-1"), Some(Door { colour: "red".to_owned(), ..before() }));
}

#[tokio::test]
async fn planned_attempt_has_nothing_to_undo() {
    let world = World::with([before()]).await.setting("MODE", "plan");
    let handled = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!(world.undo(handled.attempt().unwrap()).await.unwrap(), Undone::NothingToUndo);
    assert_eq!(world.doors.writes(), []);
    let hold = world.ledger().hold_on(&path("d-1"), "door-ajar", Timestamp::now()).await.unwrap();
    assert_eq!(hold, None);
}

#[tokio::test]
async fn attempt_of_another_control_or_of_nobody_is_refused() {
    let (world, id) = enforced().await;
    let fault = world.undo_as(&NAMED_DOOR_AJAR, &id).await.unwrap_err();
    assert_eq!(fault, refusal(&id, "no such attempt of control `named-door-ajar`"));
    assert_eq!(world.undo("01ARZ3NDEKTSV4RRFFQ69G5FAV").await.unwrap_err().kind(), "UndoRefused");
    assert_eq!(writes_of_undo(&world), []);
}

#[tokio::test]
async fn resource_that_is_gone_is_refused() {
    let (world, id) = enforced().await;
    world.doors.disturb(On::Read, 4, Trouble::Before(std::collections::BTreeMap::clear));
    assert_eq!(world.undo(&id).await.unwrap_err(), refusal(&id, "the resource is gone; the resource is not held"));
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_said_before_anything_is_done() {
    let world = World::with([Door::drawn("d-1", &["bottom", "welded"])]).await;
    let handled = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    let id = handled.attempt().unwrap();
    let fault = world.undo(id).await.unwrap_err();
    assert_eq!(fault, refusal(id, "ShutBolt: cannot be undone: the bolt is welded; the resource is not held"));
    assert_eq!(writes_of_undo(&world), []);
    let hold = world.ledger().hold_on(&path("d-1"), "door-ajar", Timestamp::now()).await.unwrap();
    assert_eq!(hold, None);
}

#[tokio::test]
async fn undo_waits_for_whoever_works_on_the_resource() {
    let (world, id) = enforced().await;
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_secs(60);
    world.ledger().lease(&path("d-1"), "somebody", now, until).await.unwrap();
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "LeaseHeld");
    assert_eq!(writes_of_undo(&world), []);
}

#[tokio::test]
async fn undo_that_was_refused_half_way_can_be_repeated() {
    let (world, id) = enforced().await;
    world.doors.disturb(On::Revert, 2, Trouble::Refused("NoKey", CallErrorKind::Rejected));
    let fault = world.undo(&id).await.unwrap_err();
    assert_eq!(fault.kind(), "UndoFailed");
    let hold = world.ledger().hold_on(&path("d-1"), "door-ajar", Timestamp::now()).await.unwrap().unwrap();
    let text = fault.to_string();
    let why = "call 2 of 2: doors:DrawBolt: NoKey: as scripted: calls made before it: 1; undo again goes on from there";
    assert_eq!(text, format!("undo {id}: {why}; held by jane until {}", hold.until));
    assert_eq!(world.doors.door("d-1").unwrap().open_bolts(), ["top"]);
    // Meanwhile the hold keeps the fix from coming back.
    assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "planned");
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.doors.door("d-1"), Some(before()));
}

#[tokio::test]
async fn undo_that_does_not_take_effect_is_told_and_not_recorded_as_done() {
    let (world, id) = enforced().await;
    world.doors.disturb(On::Revert, 1, Trouble::Swallowed);
    let fault = world.undo(&id).await.unwrap_err();
    let why =
        "every call was answered, and the resource is not restored: top: expected `true`: found `false`; held by jane";
    assert!(fault.kind() == "UndoFailed" && fault.to_string().contains(why), "{fault}");
    assert_eq!(stored(&world, &id).await.undo.unwrap().finished_at, None);
    // Both calls were answered, so that the shut bolt is nobody's trace but somebody else's: a person decides.
    let fault = world.undo(&id).await.unwrap_err();
    let why = "changed since: bottom: expected `false`: found `true`; held by jane";
    assert!(fault.kind() == "UndoRefused" && fault.to_string().contains(why), "{fault}");
    assert!(matches!(world.undo_overwriting(&id).await.unwrap(), Undone::Restored { .. }));
}

/// An attempt that broke off is open: its next delivery would go on where it stopped, unless undo ends it.
#[tokio::test]
async fn attempt_that_broke_off_is_ended_by_undo_and_not_resumed() {
    let world = World::with([before()]).await;
    world.doors.disturb(On::Apply, 2, Trouble::Refused("Throttling", CallErrorKind::Throttled));
    world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err();
    let id = world.attempts("d-1").await.pop().unwrap().id;
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!((world.doors.door("d-1"), stored(&world, &id).await.state), (Some(before()), State::Finished));
    for recorded in [FIRST, NEXT] {
        assert_eq!(world.deliver(&finding("d-1", recorded)).await.unwrap().name(), "planned", "{recorded}");
    }
    assert_eq!(world.doors.door("d-1"), Some(before()));
}

/// Whatever step it dies at, undo can be repeated and restores the door, and no finding in between undoes the undo.
#[tokio::test]
async fn undo_that_dies_at_any_step_can_be_repeated() {
    let mut step = 1;
    loop {
        let (world, id) = enforced().await;
        let life = Life::of(step);
        let sdk = world.mortal_sdk(&life);
        tokio::select! {
            undone = world.undo_over(&DOOR_AJAR, &sdk, &id) => {
                assert!(matches!(undone.unwrap(), Undone::Restored { .. }));
                break;
            }
            () = async { while !life.is_over() { tokio::time::sleep(std::time::Duration::from_millis(1)).await; } } => {}
        }
        world.doors.lives(&Life::of(usize::MAX));
        world.outlive_lease("d-1").await;
        let found = world.deliver(&finding("d-1", NEXT)).await.unwrap();
        assert!(["planned", "already-compliant"].contains(&found.name()), "{step}: {found:?}");
        let undone = world.undo(&id).await.unwrap_or_else(|fault| panic!("{step}: {fault}"));
        assert!(matches!(undone, Undone::Restored { .. } | Undone::AlreadyUndone), "{step}: {undone:?}");
        assert_eq!(world.doors.door("d-1"), Some(before()), "{step}");
        assert_eq!(stored(&world, &id).await.before.unwrap().read::<Door>().unwrap().key(), before().key());
        assert_eq!(world.doors.effects().len(), 4, "{step}");
        step += 1;
    }
    assert!(step > 20, "a whole undo has {step} steps");
}
