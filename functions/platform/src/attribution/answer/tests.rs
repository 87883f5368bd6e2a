use jiff::ToSpan;
use rectify_compliance::AccountId;
use rectify_compliance::attribution::{History, Ours};

use super::*;

const FIXER: &str = "rectify-door-ajar-fix";

fn found() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

fn attempt(outcome: &str) -> Attempt {
    serde_json::from_value(json!({
        "id": "01JZ", "control": "door-ajar", "rule": "rectify-door-ajar",
        "target": {"account": "111122223333", "region": "eu-west-1",
                   "resource": {"type": "House::Door", "id": "d-1"}, "name": null, "arn": null},
        "recorded_at": found().to_string(), "started_at": "2026-03-04T05:06:08Z", "finished_at": null,
        "state": "finished", "mode": "enforce", "parameters": "{}", "finding": "ajar", "plan": {"kind": "nothing"},
        "before": {"version": 1, "subject": {"tags": {"aws:cloudformation:stack-name": "web"}}},
        "actions": [], "after": null, "outcome": outcome, "reason": "as planned", "announced": true, "undo": null
    }))
    .unwrap()
}

/// What CloudTrail says: minutes before the finding, who, and through which service.
fn looked(calls: &[(i64, &str, Option<&str>)]) -> Looked {
    let mut history = History::default();
    for (number, (minutes, who, via)) in calls.iter().enumerate() {
        let at = found().checked_sub(minutes.minutes()).unwrap();
        let record = json!({
            "eventVersion": "1.11", "eventTime": at.to_string(), "eventSource": "door.amazonaws.com",
            "eventName": "OpenDoor", "eventID": format!("e-{number}"), "readOnly": false,
            "userIdentity": {"type": "IAMUser", "userName": who, "invokedBy": via}
        });
        history.add(Some(&record.to_string()));
    }
    let ours = Ours::new(AccountId::new("111122223333"), []);
    Looked { history, ours, fixer: FIXER.to_owned(), reach: Reach::Whole }
}

/// The answer to a look so many minutes after the finding: actor, and whether it may change.
fn answered(looked: &Looked, outcome: &str, look: LookupPass, minutes: i64) -> (String, bool) {
    let now = found().checked_add(minutes.minutes()).unwrap();
    let answer = Answer::of(looked, &attempt(outcome), look, now);
    (answer.actor.clone(), answer.may_change())
}

/// runtime/25: nothing is guessed while CloudTrail may not show the newest change yet.
#[test]
fn an_older_change_is_told_only_once_a_newer_one_would_be_there() {
    let old = looked(&[(600, "bob", None)]);
    let (unknown, bob) = ("unknown".to_owned(), "IAM user bob".to_owned());
    assert_eq!(answered(&old, "planned", LookupPass::First, 1), (unknown.clone(), true));
    assert_eq!(answered(&old, "planned", LookupPass::Second, 1), (bob.clone(), false));
    assert_eq!(answered(&old, "planned", LookupPass::First, 20), (bob, false));
    let fresh = looked(&[(1, "jane", None), (600, "bob", None)]);
    assert_eq!(answered(&fresh, "verified", LookupPass::First, 1), ("IAM user jane".to_owned(), true));
    assert_eq!(answered(&fresh, "verified", LookupPass::Second, 16), ("IAM user jane".to_owned(), false));
    let none = looked(&[]);
    for (look, minutes) in [(LookupPass::First, 1), (LookupPass::First, 600), (LookupPass::Second, 16)] {
        assert_eq!(answered(&none, "planned", look, minutes), (unknown.clone(), true));
    }
}

#[test]
fn an_open_breaker_names_everybody_who_reverted_and_how_often() {
    let many = looked(&[(1, "jane", None), (2, "bob", None), (3, "jane", None), (60 * 25, "eve", None)]);
    let (actor, _) = answered(&many, "breaker-open", LookupPass::Second, 16);
    assert_eq!(actor, "IAM user jane (2), IAM user bob (1)");
    assert_eq!(answered(&many, "planned", LookupPass::Second, 16).0, "IAM user jane");
    // A control's own breaker opens on resources that nobody touched for long.
    let old = looked(&[(60 * 25, "eve", None)]);
    assert_eq!(answered(&old, "breaker-open", LookupPass::Second, 16).0, "IAM user eve");
}

#[test]
fn the_stack_is_that_of_the_resource_where_the_call_names_none() {
    let by_stack = looked(&[(1, "deployer", Some("cloudformation.amazonaws.com")), (2, "jane", None)]);
    let answer = Answer::of(&by_stack, &attempt("planned"), LookupPass::Second, found());
    let who: Vec<String> = answer.changes.iter().map(|it| it.actor.to_string()).collect();
    assert_eq!(who, ["CloudFormation stack web for IAM user deployer", "IAM user jane"]);
    assert_eq!(answer.actor, who[0]);
}

#[test]
fn what_limits_an_answer_is_said() {
    let mut limited = looked(&[]);
    limited.history.add(None);
    limited.reach = Reach::Newest;
    let answer = Answer::of(&limited, &attempt("planned"), LookupPass::First, found());
    let told = announcement(&attempt("planned"), &answer, Some(900));
    let reason = "CloudTrail tells of no change that can be behind the finding; 1 of 1 records could not be read; only the \
                  newest 1 records were read; asked once more in 15 minutes";
    assert_eq!((&told["actor"], &told["reason"], &told["changes"]), (&json!("unknown"), &json!(reason), &json!([])));
    for (reach, words) in [
        (Reach::TooOld, "the finding is older than the 90 days CloudTrail remembers"),
        (Reach::Nameless, "CloudTrail finds events by a resource's name, and an account has none"),
    ] {
        let answer = Answer::of(&Looked { reach, ..looked(&[]) }, &attempt("planned"), LookupPass::First, found());
        assert_eq!((answer.reason.as_str(), answer.may_change()), (words, false));
    }
}

#[test]
fn changes_are_bounded_and_say_what_a_person_asks_for() {
    let calls: Vec<(i64, String)> = (1..=14).map(|number| (number, format!("user-{number}"))).collect();
    let calls: Vec<(i64, &str, Option<&str>)> = calls.iter().map(|(at, who)| (*at, who.as_str(), None)).collect();
    let many = looked(&calls);
    let answer = Answer::of(&many, &attempt("breaker-open"), LookupPass::Second, found());
    let told = announcement(&attempt("breaker-open"), &answer, None);
    assert_eq!(told["changes"].as_array().map(Vec::len), Some(MOST));
    let first =
        json!({"at": "2026-03-04T05:05:07Z", "call": "door:OpenDoor", "actor": "IAM user user-1", "eventId": "e-0"});
    assert_eq!(told["changes"][0], first);
    assert!(told["actor"].as_str().is_some_and(|it| it.ends_with(" and 4 more")), "{}", told["actor"]);
    assert_eq!(told["reason"], "14 changes within 24 hours, the newest door:OpenDoor at 2026-03-04T05:05:07Z");
}
