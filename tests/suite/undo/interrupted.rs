//! Interrupted undo: what it left, later changes by others, and the hold on the resource.

use rectify_runtime::ledger::Hold;
use rectify_tests::remediation::{deliver_through, delivery};

use super::*;

const REFUSED: InjectedFault = InjectedFault::Refused("NoKey", CallErrorKind::Rejected);

async fn held(world: &World) -> Option<Hold> {
    world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap()
}

fn in_days(days: i64) -> Timestamp {
    let at = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    // The table stores milliseconds.
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

/// A widget whose undo disabled the top flag and was refused the bottom one.
async fn interrupted() -> (World, String) {
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 2, REFUSED);
    world.undo(&id).await.unwrap_err();
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), ["top"]);
    (world, id)
}

#[tokio::test]
async fn change_after_an_interrupted_undo_is_refused_and_kept() {
    let (world, id) = interrupted().await;
    world.widgets.change("d-1", |widget| {
        widget.set("top", false);
        widget.set("bottom", true);
    });
    let changed = world.widgets.widget("d-1");
    let hold = held(&world).await.unwrap();
    let error = world.undo(&id).await.unwrap_err();
    // The difference is to the nearest known state, the attempt's.
    let reason = format!("changed since: bottom: expected `false`: found `true`; held by jane until {}", hold.until);
    assert_eq!(error, refusal(&id, &reason));
    assert_eq!((world.widgets.widget("d-1"), writes_of_undo(&world).len()), (changed, 2));

    // An operator who has seen the difference may overwrite it.
    assert!(matches!(world.undo_overwriting(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
    let overwrote = stored(&world, &id).await.undo.unwrap().overwrote;
    assert_eq!(overwrote.as_deref(), Some("bottom: expected `false`: found `true`"));
}

/// The undo disabled one flag: it accepts its own partial state, the attempt's state and the restored state.
#[tokio::test]
async fn interrupted_undo_resumes_from_any_known_state() {
    for (top, bottom, calls) in [(true, false, 1), (false, false, 2), (true, true, 0)] {
        let (world, id) = interrupted().await;
        world.widgets.change("d-1", |widget| {
            widget.set("top", top);
            widget.set("bottom", bottom);
        });
        assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }), "{top} {bottom}");
        assert_eq!(world.widgets.widget("d-1"), Some(before()), "{top} {bottom}");
        assert_eq!(writes_of_undo(&world).len(), 2 + calls, "{top} {bottom}: no call is repeated");
    }
}

/// An earlier version did not count its calls: any number of them may have been made.
#[tokio::test]
async fn undo_begun_by_an_earlier_version_resumes() {
    let (world, id) = interrupted().await;
    let mut old = serde_json::to_value(stored(&world, &id).await).unwrap();
    for field in ["begun", "answered", "overwrote"] {
        old["undo"].as_object_mut().unwrap().remove(field).unwrap();
    }
    let attempt: Attempt = serde_json::from_value(old).unwrap();
    assert_eq!(attempt.undo.as_ref().unwrap().begun, None);
    let now = Timestamp::now();
    let lease = world.ledger().lease(&path("d-1"), "old", now, now).await.unwrap();
    world.ledger().save(&lease, &attempt).await.unwrap();
    world.ledger().release(&lease).await.unwrap();
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
}

#[tokio::test]
async fn undo_with_a_refused_first_call_changes_nothing() {
    for injected in [
        InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        REFUSED,
        InjectedFault::Answered(400, "InvalidParameterValue"),
    ] {
        let (world, id) = enforced().await;
        let attempt = stored(&world, &id).await;
        world.widgets.inject_fault(On::Revert, 1, injected);
        let error = world.undo(&id).await.unwrap_err();
        assert_eq!(error.kind(), "UndoRefused", "{error}");
        assert!(error.to_string().ends_with(": nothing was changed; the resource is not held"), "{error}");
        assert_eq!((held(&world).await, stored(&world, &id).await), (None, attempt));
        // The fix is made again.
        world.widgets.change("d-1", |widget| widget.set("top", true));
        assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "verified");
    }
}

/// The attempt stays in progress and is ended by its next delivery, as without the undo.
#[tokio::test]
async fn attempt_stays_in_progress_if_its_undo_changed_nothing() {
    let world = World::with([before()]).await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err();
    let id = world.attempts("d-1").await.pop().unwrap().id;
    world.widgets.inject_fault(On::Revert, 1, REFUSED);
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "UndoRefused");
    let open = world.ledger().attempts_in_progress("widget-disabled").await.unwrap();
    assert_eq!(open.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    let disposition = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!((disposition.attempt(), disposition.name()), (Some(id.as_str()), "verified"));
}

#[tokio::test]
async fn earlier_hold_is_restored_or_outlasts_the_undo() {
    for days in [3, 30] {
        let (world, id) = enforced().await;
        let set = Hold {
            control: "widget-disabled".to_owned(),
            by: "ada".to_owned(),
            reason: "painting".to_owned(),
            until: in_days(days),
        };
        world.ledger().set_hold(&path("d-1"), &set).await.unwrap();
        world.widgets.inject_fault(On::Revert, 1, REFUSED);
        let error = world.undo(&id).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("; held by ada until {}", set.until)), "{error}");
        assert_eq!(held(&world).await, Some(set.clone()), "{days}");
        let Undone::Restored { held_until, .. } = world.undo(&id).await.unwrap() else { panic!("{days}") };
        assert_eq!(held(&world).await.unwrap().until.as_second(), held_until.as_second());
        assert_eq!((held_until > in_days(8), held_until < in_days(6)), (days == 30, false), "{days}");
    }
}

/// A call with a lost answer does not count as refused: the hold stays, and the error says until when.
#[tokio::test]
async fn undo_with_a_lost_first_answer_is_held_and_resumes() {
    let lost = [(503, "ServiceFailure", true), (503, "ServiceFailure", false), (409, "OperationAborted", true)];
    for (status, code, opened) in lost {
        let (world, id) = enforced().await;
        let injected =
            if opened { InjectedFault::Misreported(status, code) } else { InjectedFault::Answered(status, code) };
        // The reads: two to act, one to verify, one to undo, and one before the call would be repeated.
        world.widgets.inject_fault(On::Revert, 1, injected).inject_fault(On::Read, 5, REFUSED);
        let error = world.undo(&id).await.unwrap_err();
        assert_eq!(error.kind(), "UndoFailed", "{code}: {error}");
        let hold = held(&world).await.unwrap();
        assert!(error.to_string().contains("and perhaps this one"), "{error}");
        assert!(error.to_string().ends_with(&format!("; held by jane until {}", hold.until)), "{error}");
        world.widgets.clear_faults();
        assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }), "{code}");
        assert_eq!((world.widgets.widget("d-1"), world.widgets.effects().len()), (Some(before()), 4), "{code}");
    }
}

/// The undo repeats a throttled call itself, unless the resource was changed in between.
#[tokio::test]
async fn throttled_call_is_repeated_unless_the_resource_was_changed() {
    let throttled = || InjectedFault::Refused("Throttling", CallErrorKind::Throttled);
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 1, throttled());
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));

    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 2, throttled());
    // The reads: two to act, one to verify, one to undo, and one before the call is repeated.
    world.widgets.inject_fault(
        On::Read,
        5,
        InjectedFault::Before(|widgets| widgets.get_mut("d-1").unwrap().set("top", false)),
    );
    let error = world.undo(&id).await.unwrap_err();
    assert!(error.to_string().contains("changed outside this undo before the call could be retried"), "{error}");
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), Vec::<&str>::new());
}

/// Each step of an undo is fenced, and extends its lease.
#[tokio::test]
async fn undo_without_its_lease_writes_nothing_and_each_step_extends_it() {
    let (world, id) = enforced().await;
    let (ledger, attempt) = (world.ledger(), stored(&world, &id).await);
    let now = Timestamp::now();
    let lease = ledger.lease(&path("d-1"), "undo-1", now, now).await.unwrap();
    let until = in_days(1);
    ledger.save_undo(&lease, &attempt, until).await.unwrap();
    let late = now + jiff::SignedDuration::from_mins(30);
    let error = ledger.lease(&path("d-1"), "undo-2", late, until).await.unwrap_err();
    assert!(matches!(&error, Error::LeaseHeld { until: reported, .. } if *reported == until.to_string()), "{error:?}");

    world.end_lease("d-1").await;
    ledger.lease(&path("d-1"), "undo-2", late, until).await.unwrap();
    let hold = Hold { control: "widget-disabled".to_owned(), by: "ada".to_owned(), reason: "undo".to_owned(), until };
    assert_eq!(ledger.save_undo(&lease, &attempt, until).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(ledger.begin_undo(&lease, &attempt, Some(&hold), until).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(ledger.roll_back_undo(&lease, &attempt, Some(&hold)).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(held(&world).await, None, "a hold without its undo");
}

/// Holds by undo are in the audit log like those of operators, and so is the end of a hold without effect.
#[tokio::test]
async fn holds_of_an_undo_are_in_the_audit_log() {
    let (world, id) = enforced().await;
    world.widgets.inject_fault(On::Revert, 1, REFUSED);
    world.undo(&id).await.unwrap_err();
    world.undo(&id).await.unwrap();
    let month = Timestamp::now().to_string();
    let log = world.ledger().acts(month.get(..7).unwrap()).await.unwrap();
    let mut entries: Vec<(&str, &str, &str)> = Vec::new();
    for entry in &log {
        entries.push((entry.by.as_str(), entry.what.split(" widget-disabled").next().unwrap(), entry.why.as_str()));
    }
    let (undo, nothing) = (format!("undo of {id}"), format!("undo of {id} changed nothing"));
    entries.sort_unstable();
    let mut expected =
        [("jane", "hold add", undo.as_str()), ("jane", "hold end", &nothing), ("jane", "hold add", &undo)];
    expected.sort_unstable();
    assert_eq!(entries, expected);
    let context = world.context();
    let found = deliver_through(&context, &finding("d-1", NEXT), &delivery("w")).await.unwrap();
    assert_eq!(found.name(), "planned");
}
