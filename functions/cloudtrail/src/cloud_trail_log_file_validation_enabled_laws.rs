//! The laws of the remediation, over generated trails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::{judge, plan};
use super::*;
use crate::trail::arbitrary::trails;

#[test]
fn generated_trails_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let sample: Vec<Trail> = (0..1000).map(|_| trails().new_tree(&mut runner).unwrap().current()).collect();
    let share = |kind: fn(&Verdict) -> bool| sample.iter().filter(|it| kind(&judge(it))).count();
    let (violating, compliant) = (share(Verdict::is_non_compliant), share(Verdict::is_compliant));
    assert!(violating >= 200 && compliant >= 200, "{violating} violating, {compliant} compliant of 1000");
    assert!(violating + compliant < 1000);
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in trails()) {
        prop_assert_eq!(plan(&subject) != Plan::Nothing, judge(&subject).is_non_compliant());
    }

    #[test]
    fn the_fix_makes_a_trail_compliant_and_leaves_all_else_and_undo_restores_it(subject in trails()) {
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan(&subject).calls() {
            live = CloudTrailLogFileValidationEnabled.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(!judge(&live).is_non_compliant());
        prop_assert_eq!(plan(&live), Plan::Nothing);
        let only_the_flag = Trail { log_file_validation: live.log_file_validation, ..subject.clone() };
        prop_assert_eq!(&live, &only_the_flag);

        let actions = done.clone();
        for action in CloudTrailLogFileValidationEnabled.undo(&subject, &done).unwrap() {
            live = CloudTrailLogFileValidationEnabled.expect(live, &action);
        }
        prop_assert_eq!(CloudTrailLogFileValidationEnabled.footprint(&live, &actions), CloudTrailLogFileValidationEnabled.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in trails()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Trail>(), Ok(subject.clone()));
        for action in plan(&subject).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
