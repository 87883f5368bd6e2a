//! The laws of the remediation, over generated users and keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::now;
use super::*;
use crate::user::tests::alice;

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - days * 24 * 60 * 60).unwrap()
}

fn a_key() -> impl Strategy<Value = AccessKey> {
    use KeyStatus::{Active, Expired, Inactive};
    let status = prop::sample::select(vec![Active, Active, Active, Inactive, Expired]);
    let last_use = prop_oneof![
        Just(None),
        Just(Some(LastUse::Never)),
        (0_i64..=400).prop_map(|days| Some(LastUse::At(days_ago(days)))),
        (0_i64..=400).prop_map(|days| Some(LastUse::At(days_ago(days)))),
    ];
    (status, -5_i64..=400, last_use).prop_map(|(status, days, last_use)| AccessKey {
        status,
        created: days_ago(days),
        last_use,
    })
}

fn subjects() -> impl Strategy<Value = UserKeys> {
    prop::collection::btree_map("AKIA[A-Z0-9]{16}".prop_map(KeyId::new), a_key(), 0..=2)
        .prop_map(|keys| UserKeys { user: alice(), keys })
}

fn parameters() -> impl Strategy<Value = AccessKeysRotatedParameters> {
    (1_u32..=200, prop::option::weighted(0.7, 30_u32..=200)).prop_map(|(age, unused)| AccessKeysRotatedParameters {
        max_access_key_age: Bounded::of(age),
        deactivate_unused_days: unused.map(Bounded::of),
    })
}

fn judge(subject: &UserKeys, params: &AccessKeysRotatedParameters) -> Verdict {
    AccessKeysRotated.evaluate(subject, params, now())
}

fn plan(subject: &UserKeys, params: &AccessKeysRotatedParameters) -> Plan<KeyAction> {
    AccessKeysRotated.plan(subject, params, now())
}

#[test]
fn generated_users_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let pairs = (subjects(), parameters());
    let sample: Vec<_> = (0..2000).map(|_| pairs.new_tree(&mut runner).unwrap().current()).collect();
    let compliant = sample.iter().filter(|(subject, params)| judge(subject, params).is_compliant()).count();
    let plans: Vec<_> = sample.iter().map(|(subject, params)| plan(subject, params)).collect();
    let applied = plans.iter().filter(|it| !it.calls().is_empty() && it.obstacle(true).is_none()).count();
    let by_a_person = plans.iter().filter(|it| it.obstacle(true).is_some()).count();
    assert!(compliant >= 200 && applied >= 200 && by_a_person >= 200, "{compliant}, {applied}, {by_a_person} of 2000");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), params in parameters()) {
        prop_assert_eq!(plan(&subject, &params) != Plan::Nothing, judge(&subject, &params).is_non_compliant());
    }

    #[test]
    fn the_fix_turns_off_old_unused_keys_alone_and_undo_turns_them_on_again(
        subject in subjects(), params in parameters(),
    ) {
        let planned = plan(&subject, &params);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in planned.calls() {
            let KeyAction::UpdateAccessKey { user_name, access_key_id, status } = action;
            let key = &subject.keys[access_key_id];
            prop_assert_eq!((user_name.as_str(), *status), ("alice", KeyStatus::Inactive));
            prop_assert!(key.is_active() && key.last_use.is_some());
            live = AccessKeysRotated.expect(live, action);
            done.push(action.clone());
        }
        if planned.obstacle(true).is_none() {
            prop_assert!(judge(&live, &params).is_compliant());
            prop_assert_eq!(plan(&live, &params), Plan::Nothing);
        }
        prop_assert!(plan(&live, &params).calls().is_empty());
        for (id, key) in &live.keys {
            let only_the_status = AccessKey { status: key.status, ..subject.keys[id] };
            prop_assert_eq!(key, &only_the_status);
        }
        for action in AccessKeysRotated.undo(&subject, &done).unwrap() {
            live = AccessKeysRotated.expect(live, &action);
        }
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn no_text_shows_a_whole_key(subject in subjects(), params in parameters()) {
        let verdict = judge(&subject, &params);
        let words = plan(&subject, &params).steps().iter().filter(|it| it.action().is_none())
            .map(|step| serde_json::to_string(step).unwrap()).collect::<String>();
        for id in subject.keys.keys() {
            prop_assert!(!words.contains(id.expose()));
            prop_assert!(!verdict.annotation().is_some_and(|it| it.as_str().contains(id.expose())));
        }
    }

    #[test]
    fn images_and_calls_read_back_as_they_were_stored(subject in subjects(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<UserKeys>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<KeyAction>(&text).unwrap(), action);
        }
    }
}
