//! For any record: no panic, no unprintable character in a description, and no change by Rectify attributed to another
//! actor.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{AccountId, Timestamp};

/// The members of a record, so that generated records reach the inner parsers.
const MEMBERS: [&str; 24] = [
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "eventID",
    "eventType",
    "eventCategory",
    "errorCode",
    "readOnly",
    "sourceIPAddress",
    "userIdentity",
    "type",
    "userName",
    "arn",
    "principalId",
    "accountId",
    "invokedBy",
    "sessionContext",
    "sessionIssuer",
    "sourceIdentity",
    "onBehalfOf",
    "userId",
    "requestParameters",
    "aws:cloudformation:stack-name",
];

/// Their values.
const WORDS: [&str; 18] = [
    "1.11",
    "2026-03-04T05:06:07Z",
    "ec2.amazonaws.com",
    "OpenDoor",
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "SAMLUser",
    "WebIdentityUser",
    "IdentityCenterUser",
    "AWSAccount",
    "AWSService",
    "cloudformation.amazonaws.com",
    "arn:p:sts::111122223333:assumed-role/Fix/s",
    "111122223333",
    "Fix",
];

fn word() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => proptest::sample::select(&WORDS[..]).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    word().prop_recursive(4, 64, 12, |inner| {
        let members = proptest::collection::vec((proptest::sample::select(&MEMBERS[..]), inner.clone()), 0..12);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|it| Value::Object(it.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

/// A record with this identity.
fn record(who: Value, second: i64, rest: Map<String, Value>) -> Value {
    let at = Timestamp::from_second(second).unwrap_or_default();
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": at.to_string(), "eventSource": "door.amazonaws.com", "eventName": "OpenDoor",
        "eventID": format!("e-{second}"), "readOnly": false
    });
    if let Some(members) = record.as_object_mut() {
        members.extend(rest);
        members.insert("userIdentity".to_owned(), who);
    }
    record
}

proptest! {
    #[test]
    fn any_text_is_read_or_rejected(text in any::<String>()) {
        let _ = Change::read(&text);
    }

    #[test]
    fn any_document_is_rejected_or_has_a_printable_actor(
        document in document(), who in document(), second in 0_i64..4_000_000_000, request in document(),
    ) {
        let _ = Change::read(&document.to_string());
        let rest = Map::from_iter([("requestParameters".to_owned(), request)]);
        if let Ok(Some(change)) = Change::read(&record(who, second, rest).to_string()) {
            let words = change.actor.to_string();
            prop_assert!(!words.is_empty() && words.chars().count() <= 4 * MAX_CHARS, "{words}");
            prop_assert!(!words.chars().any(char::is_control), "{words}");
        }
    }

    #[test]
    fn no_later_change_and_no_change_by_rectify_causes_a_finding(
        calls in proptest::collection::vec((any::<bool>(), -100_i64..100, document()), 0..20),
    ) {
        let found = Timestamp::from_second(1_772_600_000).unwrap_or_default();
        let own_roles = OwnRoles::new(AccountId::new("111122223333"), ["Fix".to_owned()]);
        let mut history = History::default();
        for (own, after, who) in calls {
            let fix = json!({"type": "AssumedRole", "accountId": "111122223333",
                             "arn": "arn:p:sts::111122223333:assumed-role/Fix/rectify-a-fix"});
            let who = if own { fix } else { who };
            history.add(Some(&record(who, found.as_second() + after, Map::new()).to_string()));
        }
        let end = found.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        let within = history.within(found, SignedDuration::from_hours(1), &own_roles);
        for change in history.behind(found, &own_roles, "rectify-a-fix").into_iter().chain(within) {
            prop_assert!(change.at <= end && !own_roles.acted(&change.actor));
        }
    }
}
