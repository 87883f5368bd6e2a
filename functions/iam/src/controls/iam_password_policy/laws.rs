//! The laws of the remediation, over generated policies and parameters.

use proptest::prelude::*;
use rectify_testing::Laws;

use super::tests::with;
use super::*;

fn policies() -> impl Strategy<Value = PasswordPolicy> {
    let flags = prop::array::uniform6(prop::bool::weighted(0.8));
    (flags, 6_u32..=30, prop::option::of(1_u32..=200), prop::option::of(1_u32..=24)).prop_map(
        |(flags, minimum_password_length, max_password_age, password_reuse_prevention)| PasswordPolicy {
            minimum_password_length,
            require_symbols: flags[0],
            require_numbers: flags[1],
            require_uppercase_characters: flags[2],
            require_lowercase_characters: flags[3],
            allow_users_to_change_password: flags[4],
            max_password_age,
            password_reuse_prevention,
            hard_expiry: flags[5],
        },
    )
}

fn parameters() -> impl Strategy<Value = IamPasswordPolicyParameters> {
    let flags = prop::array::uniform4(any::<bool>());
    (flags, 6_u32..=20, prop::option::of(1_u32..=24), prop::option::of(1_u32..=200)).prop_map(
        |(flags, length, reuse, age)| IamPasswordPolicyParameters {
            require_uppercase_characters: Flag(flags[0]),
            require_lowercase_characters: Flag(flags[1]),
            require_symbols: Flag(flags[2]),
            require_numbers: Flag(flags[3]),
            minimum_password_length: Bounded::of(length),
            password_reuse_prevention: OrNone(reuse.map(Bounded::of)),
            max_password_age: OrNone(age.map(Bounded::of)),
        },
    )
}

/// Whether a setting of `after` is less strict than that of `before`.
fn is_weaker(before: &PasswordPolicy, after: &PasswordPolicy) -> bool {
    let kept = [
        (before.require_symbols, after.require_symbols),
        (before.require_numbers, after.require_numbers),
        (before.require_uppercase_characters, after.require_uppercase_characters),
        (before.require_lowercase_characters, after.require_lowercase_characters),
    ];
    kept.iter().any(|(before, after)| *before && !*after)
        || after.minimum_password_length < before.minimum_password_length
        || after.password_reuse_prevention < before.password_reuse_prevention
        || before.max_password_age.is_some_and(|age| after.max_password_age.is_none_or(|it| it > age))
        || after.allow_users_to_change_password != before.allow_users_to_change_password
        || after.hard_expiry != before.hard_expiry
}

fn reverted(_: &IamPasswordPolicy, subject: Passwords, call: &PasswordUndo) -> Passwords {
    let policy = match call {
        PasswordUndo::UpdateAccountPasswordPolicy(policy) => Some(policy.clone()),
        PasswordUndo::DeleteAccountPasswordPolicy {} => None,
    };
    Passwords { policy, ..subject }
}

#[test]
fn laws() {
    Laws::of(&IamPasswordPolicy, &["/policy"], reverted)
        .never(|before, after| match (&before.policy, &after.policy) {
            (Some(before), Some(after)) => is_weaker(before, after),
            (before, after) => before.is_some() && after.is_none(),
        })
        .restores_full_state()
        .meeting(&[
            ("blocked", |plan| matches!(plan, Plan::Blocked { .. })),
            ("L1", |plan| plan.level() == Some(Level::L1)),
        ])
        .hold((prop::option::weighted(0.9, policies()).prop_map(with), parameters()));
}

proptest! {
    #[test]
    fn a_setting_that_is_strong_enough_is_not_touched(policy in policies(), params in parameters()) {
        let required = params.requirements();
        let merged = policy.merged(&required);
        // A changed setting is exactly as strict as required.
        if merged.minimum_password_length != policy.minimum_password_length {
            prop_assert_eq!(merged.minimum_password_length, required.length);
        }
        if merged.max_password_age != policy.max_password_age {
            prop_assert_eq!(merged.max_password_age, required.age);
        }
        if merged.password_reuse_prevention != policy.password_reuse_prevention {
            prop_assert_eq!(merged.password_reuse_prevention, required.reuse);
        }
        prop_assert!(policy.require_symbols || required.symbols || !merged.require_symbols);
        prop_assert!(policy.require_numbers || required.numbers || !merged.require_numbers);
    }
}
