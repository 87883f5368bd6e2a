use jiff::ToSpan;
use rectify_compliance::AccountId;
use rectify_compliance::attribution::{History, OwnRoles};

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

/// CloudTrail's events: minutes before the finding, the user, and the service through which the call was made.
fn lookup(calls: &[(i64, &str, Option<&str>)]) -> LookupResult {
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
    let own = OwnRoles::new(AccountId::new("111122223333"), []);
    LookupResult { history, own, fixer: FIXER.to_owned(), coverage: Coverage::Complete }
}

/// The answer of a lookup `minutes` after the finding: actor, and whether it may change.
fn answered(lookup: &LookupResult, outcome: &str, pass: LookupPass, minutes: i64) -> (String, bool) {
    let now = found().checked_add(minutes.minutes()).unwrap();
    let answer = Answer::of(lookup, &attempt(outcome), pass, now);
    (answer.actor.clone(), answer.may_change())
}

/// runtime/25: nothing is guessed while CloudTrail may not show the newest change yet.
#[test]
fn older_change_is_announced_only_after_a_newer_one_would_be_visible() {
    let old = lookup(&[(600, "bob", None)]);
    let (unknown, bob) = ("unknown".to_owned(), "IAM user bob".to_owned());
    assert_eq!(answered(&old, "planned", LookupPass::First, 1), (unknown.clone(), true));
    assert_eq!(answered(&old, "planned", LookupPass::Second, 1), (bob.clone(), false));
    assert_eq!(answered(&old, "planned", LookupPass::First, 20), (bob, false));
    let fresh = lookup(&[(1, "jane", None), (600, "bob", None)]);
    assert_eq!(answered(&fresh, "verified", LookupPass::First, 1), ("IAM user jane".to_owned(), true));
    assert_eq!(answered(&fresh, "verified", LookupPass::Second, 16), ("IAM user jane".to_owned(), false));
    let none = lookup(&[]);
    for (pass, minutes) in [(LookupPass::First, 1), (LookupPass::First, 600), (LookupPass::Second, 16)] {
        assert_eq!(answered(&none, "planned", pass, minutes), (unknown.clone(), true));
    }
}

#[test]
fn open_breaker_names_all_reverting_actors_with_counts() {
    let many = lookup(&[(1, "jane", None), (2, "bob", None), (3, "jane", None), (60 * 25, "eve", None)]);
    let (actor, _) = answered(&many, "breaker-open", LookupPass::Second, 16);
    assert_eq!(actor, "IAM user jane (2), IAM user bob (1)");
    assert_eq!(answered(&many, "planned", LookupPass::Second, 16).0, "IAM user jane");
    // A control's own breaker also opens for resources without a recent change.
    let old = lookup(&[(60 * 25, "eve", None)]);
    assert_eq!(answered(&old, "breaker-open", LookupPass::Second, 16).0, "IAM user eve");
}

#[test]
fn stack_comes_from_the_resource_if_the_call_names_none() {
    let by_stack = lookup(&[(1, "deployer", Some("cloudformation.amazonaws.com")), (2, "jane", None)]);
    let answer = Answer::of(&by_stack, &attempt("planned"), LookupPass::Second, found());
    let who: Vec<String> = answer.changes.iter().map(|it| it.actor.to_string()).collect();
    assert_eq!(who, ["CloudFormation stack web for IAM user deployer", "IAM user jane"]);
    assert_eq!(answer.actor, who[0]);
}

#[test]
fn reason_states_the_limits_of_an_answer() {
    let mut limited = lookup(&[]);
    limited.history.add(None);
    limited.coverage = Coverage::Newest;
    let answer = Answer::of(&limited, &attempt("planned"), LookupPass::First, found());
    let announced = announcement(&attempt("planned"), &answer, Some(900));
    let reason = "CloudTrail shows no change that could have caused the finding; 1 of 1 records could not be read; only the \
                  newest 1 records were read; looked up again in 15 minutes";
    assert_eq!(
        (&announced["actor"], &announced["reason"], &announced["changes"]),
        (&json!("unknown"), &json!(reason), &json!([]))
    );
    for (coverage, words) in [
        (Coverage::TooOld, "the finding is older than CloudTrail's event history of 90 days"),
        (Coverage::Nameless, "CloudTrail looks up events by resource name, and an account has none"),
    ] {
        let answer =
            Answer::of(&LookupResult { coverage, ..lookup(&[]) }, &attempt("planned"), LookupPass::First, found());
        assert_eq!((answer.reason.as_str(), answer.may_change()), (words, false));
    }
}

#[test]
fn changes_are_bounded_and_complete() {
    let calls: Vec<(i64, String)> = (1..=14).map(|number| (number, format!("user-{number}"))).collect();
    let calls: Vec<(i64, &str, Option<&str>)> = calls.iter().map(|(at, who)| (*at, who.as_str(), None)).collect();
    let many = lookup(&calls);
    let answer = Answer::of(&many, &attempt("breaker-open"), LookupPass::Second, found());
    let announced = announcement(&attempt("breaker-open"), &answer, None);
    assert_eq!(announced["changes"].as_array().map(Vec::len), Some(MAX_CHANGES));
    let first =
        json!({"at": "2026-03-04T05:05:07Z", "call": "door:OpenDoor", "actor": "IAM user user-1", "eventId": "e-0"});
    assert_eq!(announced["changes"][0], first);
    assert!(announced["actor"].as_str().is_some_and(|it| it.ends_with(" and 4 more")), "{}", announced["actor"]);
    assert_eq!(announced["reason"], "14 changes within 24 hours, the newest door:OpenDoor at 2026-03-04T05:05:07Z");
}
