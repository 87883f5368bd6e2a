//! What holds of `restricted-common-ports` for every group.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::arbitrary::groups;
use crate::group_laws::{self, parameters};

fn parameter_texts() -> impl Strategy<Value = RestrictedCommonPortsParameters> {
    prop_oneof![
        2 => Just(r#"{"blockedPorts":"22"}"#),
        2 => Just(r#"{"blockedPorts":"22-25,443"}"#),
        1 => Just("{}"),
        1 => Just(r#"{"blockedPorts":"22","maxPrefixV4":"8"}"#),
        1 => Just(r#"{"blockedPorts":"22","ignoreUnattached":"true"}"#),
        1 => Just(r#"{"blockedPort1":"443","narrowWideRules":"true"}"#),
        1 => Just(r#"{"blockedPorts":"22","resolvePrefixLists":"false"}"#),
    ]
    .prop_map(parameters)
}

#[test]
fn generated_groups_are_open_and_closed_often_enough() {
    let params = parameters(r#"{"blockedPorts":"22,443"}"#);
    group_laws::generated_groups_are_varied(&RestrictedCommonPorts, &params, [200; 3]);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_group_that_is_not_open_needs_no_plan(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_follows_a_finding(&RestrictedCommonPorts, &subject, &params)?;
    }

    #[test]
    fn an_applicable_plan_closes_the_group_and_touches_nothing_else(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_takes_only_what_is_wrong(&RestrictedCommonPorts, &subject, &params)?;
    }

    #[test]
    fn undo_restores_the_footprint(subject in groups(), params in parameter_texts()) {
        group_laws::undo_restores_the_footprint(&RestrictedCommonPorts, &subject, &params)?;
    }

    #[test]
    fn item_and_live_read_of_one_group_are_judged_alike(subject in groups(), params in parameter_texts()) {
        group_laws::item_and_live_read_are_judged_alike(&RestrictedCommonPorts, &subject, &params)?;
    }
}
