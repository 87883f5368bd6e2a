use serde_json::{Value, json};

use super::*;

const ACCOUNT: &str = "111122223333";
const FIXER: &str = "rectify-door-ajar-fix";
/// When the finding was recorded, seconds.
const FOUND: i64 = 1_772_600_000;

fn own_roles() -> OwnRoles {
    OwnRoles::new(AccountId::new(ACCOUNT), ["AROADOORAJAR", "AROAOTHER"].map(str::to_owned))
}

/// A session of the role with this id, whose name is that of a fix role.
fn role_session(account: &str, id: &str, session: &str) -> Value {
    let mut who = self::session(account, "rectify-DoorAjarFixRole-1", session);
    who["principalId"] = json!(format!("{id}:{session}"));
    who["sessionContext"]["sessionIssuer"]["principalId"] = json!(id);
    who
}

fn session(account: &str, role: &str, session: &str) -> Value {
    json!({
        "type": "AssumedRole", "accountId": account, "arn": format!("arn:p:sts::{account}:assumed-role/{role}/{session}"),
        "principalId": format!("AROA{}:{session}", role.to_uppercase()),
        "sessionContext": {"sessionIssuer": {"type": "Role", "accountId": account, "userName": role}}
    })
}

fn jane() -> Value {
    session(ACCOUNT, "AWSReservedSSO_x", "jane@corp")
}

fn fix() -> Value {
    role_session(ACCOUNT, "AROADOORAJAR", FIXER)
}

/// A history of these calls: seconds after the finding, and who.
fn history(calls: &[(i64, Value)]) -> History {
    let mut history = History::default();
    for (number, (after, who)) in calls.iter().enumerate() {
        let at = Timestamp::from_second(FOUND + after).unwrap_or_default();
        let record = json!({
            "eventVersion": "1.11", "eventTime": at.to_string(), "eventSource": "door.amazonaws.com",
            "eventName": "OpenDoor", "eventID": format!("e-{number}"), "readOnly": false, "userIdentity": who
        });
        history.add(Some(&record.to_string()));
    }
    history
}

fn found() -> Timestamp {
    Timestamp::from_second(FOUND).unwrap_or_default()
}

/// The numbers of the calls that can have caused the finding.
fn behind(calls: &[(i64, Value)]) -> Vec<String> {
    history(calls).behind(found(), &own_roles(), FIXER).into_iter().map(|it| it.event_id.clone()).collect()
}

#[test]
fn the_newest_change_before_a_finding_comes_first() {
    assert_eq!(behind(&[(-90, jane()), (-30, jane()), (-60, jane())]), ["e-1", "e-2", "e-0"]);
    assert_eq!(behind(&[(60, jane()), (5, jane()), (6, jane())]), ["e-1"], "a later change is not a cause");
    assert_eq!(behind(&[]), [""; 0]);
}

/// runtime/22: a change made by a remediation is never reported as the violation.
#[test]
fn a_change_made_by_rectify_never_causes_a_finding() {
    assert_eq!(behind(&[(-30, fix())]), [""; 0]);
    // The fix of this very finding does not hide its cause.
    assert_eq!(behind(&[(-60, jane()), (1, fix()), (-2, fix())]), ["e-0"]);
    // A change that was fixed does not cause a new finding; a fix by another control does not matter.
    assert_eq!(behind(&[(-60, jane()), (-30, fix())]), [""; 0]);
    assert_eq!(behind(&[(-60, jane()), (-30, fix()), (-20, jane())]), ["e-2"]);
    let other = role_session(ACCOUNT, "AROAOTHER", "rectify-other-fix");
    assert_eq!(behind(&[(-60, jane()), (-30, other)]), ["e-0"]);
}

#[test]
fn a_chosen_name_does_not_make_a_principal_one_of_rectifys_roles() {
    for (who, expected) in [
        (session(ACCOUNT, "Admin", FIXER), true),
        (role_session("444455556666", "AROADOORAJAR", FIXER), true),
        // A role of the same name, made after the stack was deleted.
        (role_session(ACCOUNT, "AROADOORAJAR2", FIXER), true),
        (json!({"type": "IAMUser", "userName": "rectify-DoorAjarFixRole-1"}), true),
        (
            json!({"type": "FederatedUser", "arn": "arn:p:sts::111122223333:federated-user/rectify-DoorAjarFixRole-1"}),
            true,
        ),
        (fix(), false),
    ] {
        assert_eq!(behind(&[(-30, who.clone())]).len() == 1, expected, "{who}");
    }
}

#[test]
fn each_event_counts_once_and_unreadable_records_are_counted() {
    let mut history = history(&[(-30, jane()), (-60, json!({}))]);
    history.add(None);
    history.add(Some("{"));
    assert_eq!((history.records, history.unreadable), (4, 3));
    let again = history.clone();
    let record = json!({
        "eventVersion": "1.11", "eventTime": Timestamp::from_second(FOUND - 30).unwrap_or_default().to_string(),
        "eventSource": "door.amazonaws.com", "eventName": "OpenDoor", "eventID": "e-0", "readOnly": false,
        "userIdentity": jane()
    });
    history.add(Some(&record.to_string()));
    assert_eq!(history.changes, again.changes);
}

#[test]
fn repeated_changes_are_counted_per_actor_across_fixes() {
    let bob = || json!({"type": "IAMUser", "userName": "bob"});
    let history = history(&[
        (-90_000, bob()),
        (-900, bob()),
        (-800, fix()),
        (-700, jane()),
        (-600, fix()),
        (-500, jane()),
        (-400, fix()),
        (-300, bob()),
        (-200, jane()),
    ]);
    let within = history.within(found(), SignedDuration::from_hours(24), &own_roles());
    let expected = [("jane@corp via AWSReservedSSO_x".to_owned(), 3), ("IAM user bob".to_owned(), 2)];
    assert_eq!(tally(within), expected);
    assert!(history.includes_fix(found(), &own_roles(), FIXER));
}
