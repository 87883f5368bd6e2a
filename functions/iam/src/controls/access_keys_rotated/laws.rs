//! The laws of the remediation, over generated users and keys.

use proptest::prelude::*;
use rectify_testing::Laws;

use super::tests::now;
use super::*;
use crate::resources::user::tests::alice;

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - days * 24 * 60 * 60).unwrap()
}

fn keys() -> impl Strategy<Value = AccessKey> {
    use KeyStatus::{Active, Expired, Inactive};
    let status = prop::sample::select(vec![Active, Active, Active, Inactive, Expired]);
    let last_use = prop_oneof![
        1 => Just(None),
        1 => Just(Some(LastUse::Never)),
        2 => (0_i64..=400).prop_map(|days| Some(LastUse::At(days_ago(days)))),
    ];
    (status, (-5_i64..=400).prop_map(days_ago), last_use).prop_map(|(status, created, last_use)| AccessKey {
        status,
        created,
        last_use,
    })
}

fn subjects() -> impl Strategy<Value = UserKeys> {
    prop::collection::btree_map("AKIA[A-Z0-9]{16}".prop_map(KeyId::new), keys(), 0..=2)
        .prop_map(|keys| UserKeys { user: alice(), keys })
}

fn parameters() -> impl Strategy<Value = AccessKeysRotatedParameters> {
    (1_u32..=200, prop::option::weighted(0.7, 30_u32..=200)).prop_map(|(age, unused)| AccessKeysRotatedParameters {
        max_access_key_age: Bounded::of(age),
        deactivate_unused_days: unused.map(Bounded::of),
    })
}

/// Whether `after` differs from `before` in more than active keys of known last use that were turned off.
fn changes_more_than_unused_keys(before: &UserKeys, after: &UserKeys) -> bool {
    let mut turned_off = before.clone();
    for (id, key) in &mut turned_off.keys {
        if key.is_active() && key.last_use.is_some() && !after.keys[id].is_active() {
            key.status = KeyStatus::Inactive;
        }
    }
    turned_off != *after
}

#[test]
fn laws() {
    Laws::of(&AccessKeysRotated, &["/keys"], Remediation::predict)
        .at(now())
        .never(changes_more_than_unused_keys)
        .restores_full_state()
        .meeting(&[("fixed", |plan| plan.blocker(true).is_none()), ("by hand", |plan| plan.blocker(true).is_some())])
        .hold((subjects(), parameters()));
}

proptest! {
    #[test]
    fn no_text_shows_a_full_key_id(subject in subjects(), params in parameters()) {
        let verdict = AccessKeysRotated.evaluate(&subject, &params, now());
        let plan = AccessKeysRotated.plan(&subject, &params, now());
        let instructions = plan.steps().iter().filter(|it| it.action().is_none())
            .map(|step| serde_json::to_string(step).unwrap()).collect::<String>();
        for id in subject.keys.keys() {
            prop_assert!(!instructions.contains(id.expose()));
            prop_assert!(!verdict.annotation().is_some_and(|it| it.as_str().contains(id.expose())));
        }
    }
}
