//! An undo that broke off: what it left, what people did since, and who holds the resource.

use rectify_runtime::ledger::Hold;
use rectify_tests::remediation::{deliver_through, delivery};

use super::*;

const REFUSED: InjectedFault = InjectedFault::Refused("NoKey", CallErrorKind::Rejected);

async fn held(world: &World) -> Option<Hold> {
    world.ledger().hold_on(&path("d-1"), "widget-disabled", Timestamp::now()).await.unwrap()
}

fn in_days(days: i64) -> Timestamp {
    let at = Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    // The table keeps milliseconds.
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

/// A widget whose undo opened the top flag and was refused the bottom one.
async fn broken_off() -> (World, String) {
    let (world, id) = enforced().await;
    world.widgets.disturb(On::Revert, 2, REFUSED);
    world.undo(&id).await.unwrap_err();
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), ["top"]);
    (world, id)
}

#[tokio::test]
async fn what_somebody_changed_after_an_undo_broke_off_is_refused_and_kept() {
    let (world, id) = broken_off().await;
    world.widgets.change("d-1", |widget| {
        widget.set("top", false);
        widget.set("bottom", true);
    });
    let theirs = world.widgets.widget("d-1");
    let hold = held(&world).await.unwrap();
    let fault = world.undo(&id).await.unwrap_err();
    // Nearest to it is what the attempt left.
    let why = format!("changed since: bottom: expected `false`: found `true`; held by jane until {}", hold.until);
    assert_eq!(fault, refusal(&id, &why));
    assert_eq!((world.widgets.widget("d-1"), writes_of_undo(&world).len()), (theirs, 2));

    // A person who has seen the difference may decide that it goes.
    assert!(matches!(world.undo_overwriting(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));
    let overwrote = stored(&world, &id).await.undo.unwrap().overwrote;
    assert_eq!(overwrote.as_deref(), Some("bottom: expected `false`: found `true`"));
}

/// The undo of one flag was begun and no more: nothing of its own explains that both are open but that it is what is wanted.
#[tokio::test]
async fn undo_that_broke_off_finds_what_it_left_or_what_the_attempt_left_or_what_is_wanted() {
    for (top, bottom, calls) in [(true, false, 1), (false, false, 2), (true, true, 0)] {
        let (world, id) = broken_off().await;
        world.widgets.change("d-1", |widget| {
            widget.set("top", top);
            widget.set("bottom", bottom);
        });
        assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }), "{top} {bottom}");
        assert_eq!(world.widgets.widget("d-1"), Some(before()), "{top} {bottom}");
        assert_eq!(writes_of_undo(&world).len(), 2 + calls, "{top} {bottom}: what was made is not made again");
    }
}

/// What a version that did not count its calls left behind may be any first part of them.
#[tokio::test]
async fn undo_that_an_earlier_version_began_goes_on() {
    let (world, id) = broken_off().await;
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
async fn undo_whose_first_call_was_refused_leaves_nothing_behind() {
    for trouble in [
        InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
        REFUSED,
        InjectedFault::Answered(400, "InvalidParameterValue"),
    ] {
        let (world, id) = enforced().await;
        let attempt = stored(&world, &id).await;
        world.widgets.disturb(On::Revert, 1, trouble);
        let fault = world.undo(&id).await.unwrap_err();
        assert_eq!(fault.kind(), "UndoRefused", "{fault}");
        assert!(fault.to_string().ends_with(": nothing was changed; the resource is not held"), "{fault}");
        assert_eq!((held(&world).await, stored(&world, &id).await), (None, attempt));
        // The fix stands guard as before.
        world.widgets.change("d-1", |widget| widget.set("top", true));
        assert_eq!(world.deliver(&finding("d-1", NEXT)).await.unwrap().name(), "verified");
    }
}

/// The attempt was open: it is found and ended by its next delivery, as if nobody had tried to undo it.
#[tokio::test]
async fn open_attempt_stays_open_where_its_undo_changed_nothing() {
    let world = World::with([before()]).await;
    world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err();
    let id = world.attempts("d-1").await.pop().unwrap().id;
    world.widgets.disturb(On::Revert, 1, REFUSED);
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "UndoRefused");
    let open = world.ledger().open_attempts("widget-disabled").await.unwrap();
    assert_eq!(open.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    let handled = world.deliver(&finding("d-1", FIRST)).await.unwrap();
    assert_eq!((handled.attempt(), handled.name()), (Some(id.as_str()), "verified"));
}

#[tokio::test]
async fn hold_that_somebody_set_is_put_back_or_outlives_the_undo() {
    for days in [3, 30] {
        let (world, id) = enforced().await;
        let set = Hold {
            control: "widget-disabled".to_owned(),
            by: "ada".to_owned(),
            reason: "painting".to_owned(),
            until: in_days(days),
        };
        world.ledger().set_hold(&path("d-1"), &set).await.unwrap();
        world.widgets.disturb(On::Revert, 1, REFUSED);
        let fault = world.undo(&id).await.unwrap_err();
        assert!(fault.to_string().ends_with(&format!("; held by ada until {}", set.until)), "{fault}");
        assert_eq!(held(&world).await, Some(set.clone()), "{days}");
        let Undone::Restored { held_until, .. } = world.undo(&id).await.unwrap() else { panic!("{days}") };
        assert_eq!(held(&world).await.unwrap().until.as_second(), held_until.as_second());
        assert_eq!((held_until > in_days(8), held_until < in_days(6)), (days == 30, false), "{days}");
    }
}

/// A call that may have been carried out is not one that was refused: the hold stays, and the refusal says until when.
#[tokio::test]
async fn undo_whose_first_answer_was_lost_is_held_and_goes_on() {
    let lost = [(503, "ServiceFailure", true), (503, "ServiceFailure", false), (409, "OperationAborted", true)];
    for (status, code, opened) in lost {
        let (world, id) = enforced().await;
        let trouble =
            if opened { InjectedFault::Misreported(status, code) } else { InjectedFault::Answered(status, code) };
        // The reads: two to act, one to verify, one to undo, and one before the call would be repeated.
        world.widgets.disturb(On::Revert, 1, trouble).disturb(On::Read, 5, REFUSED);
        let fault = world.undo(&id).await.unwrap_err();
        assert_eq!(fault.kind(), "UndoFailed", "{code}: {fault}");
        let hold = held(&world).await.unwrap();
        assert!(fault.to_string().contains("and perhaps this one"), "{fault}");
        assert!(fault.to_string().ends_with(&format!("; held by jane until {}", hold.until)), "{fault}");
        world.widgets.calm();
        assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }), "{code}");
        assert_eq!((world.widgets.widget("d-1"), world.widgets.effects().len()), (Some(before()), 4), "{code}");
    }
}

/// A throttled call is repeated by the undo itself, and not after somebody changed the resource.
#[tokio::test]
async fn passing_refusal_is_repeated_unless_somebody_came_between() {
    let throttled = || InjectedFault::Refused("Throttling", CallErrorKind::Throttled);
    let (world, id) = enforced().await;
    world.widgets.disturb(On::Revert, 1, throttled());
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(before()));

    let (world, id) = enforced().await;
    world.widgets.disturb(On::Revert, 2, throttled());
    // The reads: two to act, one to verify, one to undo, and one before the call is repeated.
    world.widgets.disturb(
        On::Read,
        5,
        InjectedFault::Before(|widgets| widgets.get_mut("d-1").unwrap().set("top", false)),
    );
    let fault = world.undo(&id).await.unwrap_err();
    assert!(fault.to_string().contains("changed by somebody else before it could be repeated"), "{fault}");
    assert_eq!(world.widgets.widget("d-1").unwrap().disabled_flags(), Vec::<&str>::new());
}

/// Each step of an undo is fenced, and lets its lease live on.
#[tokio::test]
async fn whoever_lost_the_lease_writes_nothing_and_each_step_makes_it_last() {
    let (world, id) = enforced().await;
    let (ledger, attempt) = (world.ledger(), stored(&world, &id).await);
    let now = Timestamp::now();
    let lease = ledger.lease(&path("d-1"), "undo-1", now, now).await.unwrap();
    let until = in_days(1);
    ledger.save_undo(&lease, &attempt, until).await.unwrap();
    let late = now + jiff::SignedDuration::from_mins(30);
    let fault = ledger.lease(&path("d-1"), "undo-2", late, until).await.unwrap_err();
    assert!(matches!(&fault, Error::LeaseHeld { until: said, .. } if *said == until.to_string()), "{fault:?}");

    world.outlive_lease("d-1").await;
    ledger.lease(&path("d-1"), "undo-2", late, until).await.unwrap();
    let hold = Hold { control: "widget-disabled".to_owned(), by: "ada".to_owned(), reason: "undo".to_owned(), until };
    assert_eq!(ledger.save_undo(&lease, &attempt, until).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(ledger.begin_undo(&lease, &attempt, Some(&hold), until).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(ledger.take_back_undo(&lease, &attempt, Some(&hold)).await.unwrap_err().kind(), "LedgerUnavailable");
    assert_eq!(held(&world).await, None, "a hold without its undo");
}

/// Holds by undo are acts like those of people; one that was taken back is seen to be.
#[tokio::test]
async fn hold_of_an_undo_is_written_down_with_who_did_it() {
    let (world, id) = enforced().await;
    world.widgets.disturb(On::Revert, 1, REFUSED);
    world.undo(&id).await.unwrap_err();
    world.undo(&id).await.unwrap();
    let month = Timestamp::now().to_string();
    let acts = world.ledger().acts(month.get(..7).unwrap()).await.unwrap();
    let mut words: Vec<(&str, &str, &str)> = Vec::new();
    for act in &acts {
        words.push((act.by.as_str(), act.what.split(" widget-disabled").next().unwrap(), act.why.as_str()));
    }
    let (undo, nothing) = (format!("undo of {id}"), format!("undo of {id} changed nothing"));
    words.sort_unstable();
    let mut expected =
        [("jane", "hold add", undo.as_str()), ("jane", "hold end", &nothing), ("jane", "hold add", &undo)];
    expected.sort_unstable();
    assert_eq!(words, expected);
    let shell = world.shell();
    let found = deliver_through(&shell, &finding("d-1", NEXT), &delivery("w")).await.unwrap();
    assert_eq!(found.name(), "planned");
}
