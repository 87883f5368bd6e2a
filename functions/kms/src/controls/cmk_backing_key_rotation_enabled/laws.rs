//! The laws of the remediation, over generated keys.

use proptest::prelude::*;
use rectify_testing::Laws;

use super::tests::{every, key};
use super::*;
use crate::resources::key::{Manager, Part};

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

fn parameters() -> impl Strategy<Value = KeyRotationParameters> {
    (prop::option::of(90..=2560_u32), any::<bool>()).prop_map(|(max, disabled)| KeyRotationParameters {
        max_rotation_period_in_days: max.map(Bounded::of),
        include_disabled: Flag(disabled),
    })
}

/// The rotation period, days; `u32::MAX` without rotation.
fn period(key: &Key) -> u32 {
    match key.rotation {
        Some(Rotation::On { period_in_days: Some(days) }) => days,
        _ => u32::MAX,
    }
}

fn reverted(_: &CmkBackingKeyRotationEnabled, key: Key, call: &Undo) -> Key {
    let (id, rotation) = match call {
        Undo::DisableKeyRotation { key_id } => (key_id, Rotation::Off),
        Undo::EnableKeyRotation { key_id, rotation_period_in_days } => (key_id, every(*rotation_period_in_days)),
    };
    assert_eq!(*id, key.id);
    Key { rotation: Some(rotation), ..key }
}

#[test]
fn laws() {
    Laws::of(&CmkBackingKeyRotationEnabled, &["/rotation"], reverted)
        .never(|before, after| period(after) > period(before))
        .restores_full_state()
        .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
        .hold((keys(), parameters()));
}
