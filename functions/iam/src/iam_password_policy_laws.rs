//! The laws of the remediation, over generated policies and parameters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::with;
use super::*;

fn policies() -> impl Strategy<Value = PasswordPolicy> {
    let flags = prop::array::uniform6(any::<bool>());
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

fn subjects() -> impl Strategy<Value = Passwords> {
    prop::option::weighted(0.9, policies()).prop_map(with)
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

fn judge(subject: &Passwords, params: &IamPasswordPolicyParameters) -> Verdict {
    IamPasswordPolicy.evaluate(subject, params, Timestamp::UNIX_EPOCH)
}

fn plan(subject: &Passwords, params: &IamPasswordPolicyParameters) -> Plan<PasswordAction> {
    IamPasswordPolicy.plan(subject, params, Timestamp::UNIX_EPOCH)
}

/// Every setting of `after` is at least as strict as that of `before`.
fn is_not_weaker(after: &PasswordPolicy, before: &PasswordPolicy) -> bool {
    let kept = [
        (before.require_symbols, after.require_symbols),
        (before.require_numbers, after.require_numbers),
        (before.require_uppercase_characters, after.require_uppercase_characters),
        (before.require_lowercase_characters, after.require_lowercase_characters),
    ];
    kept.iter().all(|(before, after)| *after || !*before)
        && after.minimum_password_length >= before.minimum_password_length
        && after.password_reuse_prevention >= before.password_reuse_prevention
        && before.max_password_age.is_none_or(|age| after.max_password_age.is_some_and(|it| it <= age))
        && after.allow_users_to_change_password == before.allow_users_to_change_password
        && after.hard_expiry == before.hard_expiry
}

#[test]
fn generated_policies_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let pairs = (subjects(), parameters());
    let sample: Vec<_> = (0..2000).map(|_| pairs.new_tree(&mut runner).unwrap().current()).collect();
    let share = |of: &dyn Fn(&Passwords, &IamPasswordPolicyParameters) -> bool| {
        sample.iter().filter(|(subject, params)| of(subject, params)).count()
    };
    let compliant = share(&|subject, params| judge(subject, params).is_compliant());
    let held = share(&|subject, params| matches!(plan(subject, params), Plan::Hold { .. }));
    let l1 = share(&|subject, params| plan(subject, params).level() == Some(Level::L1));
    assert!(compliant >= 20 && held >= 50 && l1 >= 50, "{compliant} compliant, {held} held, {l1} of L1, of 2000");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), params in parameters()) {
        prop_assert_eq!(plan(&subject, &params) != Plan::Nothing, judge(&subject, &params).is_non_compliant());
    }

    #[test]
    fn the_fix_helps_weakens_nothing_and_undo_restores(subject in subjects(), params in parameters()) {
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan(&subject, &params).calls() {
            live = IamPasswordPolicy.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(judge(&live, &params).is_compliant());
        prop_assert_eq!(plan(&live, &params), Plan::Nothing);
        if let (Some(before), Some(after)) = (&subject.policy, &live.policy) {
            prop_assert!(is_not_weaker(after, before), "{:?}", after);
        }
        let undo = IamPasswordPolicy.undo(&subject, &done).unwrap();
        prop_assert_eq!(undo.len(), done.len());
        for call in undo {
            live.policy = match call {
                PasswordUndo::UpdateAccountPasswordPolicy(policy) => Some(policy),
                PasswordUndo::DeleteAccountPasswordPolicy {} => None,
            };
        }
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn a_setting_that_is_strong_enough_is_not_touched(policy in policies(), params in parameters()) {
        let required = params.requirements();
        let merged = policy.merged(&required);
        // As strict as required and no stricter, wherever it had to change.
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

    #[test]
    fn images_and_calls_read_back_as_they_were_stored(subject in subjects(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Passwords>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<PasswordAction>(&text).unwrap(), action);
        }
    }
}
