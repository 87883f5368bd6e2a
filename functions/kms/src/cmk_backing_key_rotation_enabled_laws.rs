//! The laws of the remediation, over generated keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::{ID, every, judge, key, plan};
use super::*;
use crate::key::{Manager, Part};

fn keys() -> impl Strategy<Value = Key> {
    let rotation = prop_oneof![
        4 => Just(Some(Rotation::Off)),
        4 => (90..=2560_u32).prop_map(|days| Some(every(days))),
        1 => Just(Some(Rotation::Unsupported)),
    ];
    let manager = prop_oneof![9 => Just(Manager::Customer), 1 => Just(Manager::Aws)];
    let spec = prop_oneof![9 => Just("SYMMETRIC_DEFAULT"), 1 => Just("RSA_2048")];
    let origin = prop_oneof![9 => Just("AWS_KMS"), 1 => Just("EXTERNAL")];
    let part = prop_oneof![6 => Just(Part::Single), 3 => Just(Part::Primary), 1 => Just(Part::Replica)];
    let state = prop_oneof![
        8 => Just(KeyState::Enabled),
        2 => Just(KeyState::Disabled),
        1 => Just(KeyState::Updating),
        1 => Just(KeyState::PendingDeletion),
    ];
    let tags = prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3);
    (rotation, manager, spec, origin, part, state, tags).prop_map(
        |(rotation, manager, spec, origin, part, state, tags)| Key {
            manager,
            spec: spec.into(),
            origin: origin.into(),
            part,
            state,
            tags,
            ..key(rotation)
        },
    )
}

fn parameters() -> impl Strategy<Value = String> {
    let max = prop::option::of(90..=2560_u32);
    (max, any::<bool>())
        .prop_map(|(max, disabled)| json!({"maxRotationPeriodInDays": max, "includeDisabled": disabled}).to_string())
}

/// How seldom a key is rotated; never is more seldom than any period.
fn seldom(key: &Key) -> u32 {
    match key.rotation {
        Some(Rotation::On { period_in_days: Some(days) }) => days,
        _ => u32::MAX,
    }
}

#[test]
fn generated_keys_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let sample: Vec<Key> = (0..1000).map(|_| keys().new_tree(&mut runner).unwrap().current()).collect();
    let share = |kind: fn(&Verdict) -> bool| sample.iter().filter(|it| kind(&judge(it, "{}"))).count();
    let (violating, compliant) = (share(Verdict::is_non_compliant), share(Verdict::is_compliant));
    assert!(violating >= 150 && compliant >= 150, "{violating} violating, {compliant} compliant of 1000");
    assert!(violating + compliant < 1000);
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in keys(), text in parameters()) {
        prop_assert_eq!(plan(&subject, &text) != Plan::Nothing, judge(&subject, &text).is_non_compliant());
    }

    #[test]
    fn the_fix_makes_a_key_compliant_and_leaves_all_else_and_undo_restores_it(subject in keys(), text in parameters()) {
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan(&subject, &text).calls() {
            live = CmkBackingKeyRotationEnabled.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(!judge(&live, &text).is_non_compliant());
        prop_assert_eq!(plan(&live, &text), Plan::Nothing);
        prop_assert!(seldom(&live) <= seldom(&subject), "rotated more seldom than before");
        let only_the_rotation = Key { rotation: live.rotation, ..subject.clone() };
        prop_assert_eq!(&live, &only_the_rotation);

        let actions = done.clone();
        for undo in CmkBackingKeyRotationEnabled.undo(&subject, &done).unwrap() {
            live.rotation = Some(match undo {
                Undo::DisableKeyRotation { .. } => Rotation::Off,
                Undo::EnableKeyRotation { rotation_period_in_days, .. } => every(rotation_period_in_days),
            });
        }
        prop_assert_eq!(CmkBackingKeyRotationEnabled.footprint(&live, &actions), CmkBackingKeyRotationEnabled.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn images_and_calls_read_back_as_they_were_stored(subject in keys(), text in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Key>(), Ok(subject.clone()));
        for action in plan(&subject, &text).calls() {
            let stored = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&stored).unwrap(), action);
            for undo in CmkBackingKeyRotationEnabled.undo(&subject, std::slice::from_ref(action)).unwrap() {
                let stored = serde_json::to_string(&undo).unwrap();
                prop_assert!(stored.contains(ID));
                prop_assert_eq!(serde_json::from_str::<Undo>(&stored).unwrap(), undo);
            }
        }
    }
}
