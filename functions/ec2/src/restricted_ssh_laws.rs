//! What holds of `restricted-ssh` for every group.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config;
use rectify_compliance::{Image, StoredImage};

use super::*;
use crate::arbitrary::groups;
use crate::group_laws::{self, parameters};

fn parameter_texts() -> impl Strategy<Value = RestrictedSshParameters> {
    prop_oneof![
        4 => Just("{}"),
        1 => Just(r#"{"ports":"20-25"}"#),
        1 => Just(r#"{"maxPrefixV4":"8"}"#),
        1 => Just(r#"{"ignoreUnattached":"true"}"#),
        1 => Just(r#"{"narrowWideRules":"true"}"#),
        1 => Just(r#"{"resolvePrefixLists":"false"}"#),
    ]
    .prop_map(parameters)
}

#[test]
fn generated_groups_are_open_and_closed_often_enough() {
    group_laws::generated_groups_are_varied(&RestrictedSsh, &parameters("{}"), [200; 3]);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_group_that_is_not_open_needs_no_plan(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_follows_a_finding(&RestrictedSsh, &subject, &params)?;
    }

    #[test]
    fn an_applicable_plan_closes_the_group_and_touches_nothing_else(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_takes_only_what_is_wrong(&RestrictedSsh, &subject, &params)?;
    }

    #[test]
    fn undo_restores_the_footprint(subject in groups(), params in parameter_texts()) {
        group_laws::undo_restores_the_footprint(&RestrictedSsh, &subject, &params)?;
    }

    #[test]
    fn item_and_live_read_of_one_group_are_judged_alike(subject in groups(), params in parameter_texts()) {
        group_laws::item_and_live_read_are_judged_alike(&RestrictedSsh, &subject, &params)?;
    }

    #[test]
    fn an_image_reads_back_as_it_was_stored(subject in groups()) {
        let stored = StoredImage::of(&subject).unwrap();
        prop_assert_eq!(stored.version, GroupInNetwork::VERSION);
        let text = serde_json::to_string(&stored).unwrap();
        let read: StoredImage = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.read::<GroupInNetwork>().unwrap(), subject);
    }
}
