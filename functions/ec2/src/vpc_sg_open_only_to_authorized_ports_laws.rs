//! What holds of `vpc-sg-open-only-to-authorized-ports` for every group.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;
use crate::arbitrary::groups;
use crate::group_laws::{self, parameters};

fn parameter_texts() -> impl Strategy<Value = Params> {
    prop_oneof![
        3 => Just(r#"{"authorizedTcpPorts":"443"}"#),
        2 => Just(r#"{"authorizedTcpPorts":"20-22,443","authorizedUdpPorts":"22"}"#),
        1 => Just("{}"),
        1 => Just(r#"{"authorizedTcpPorts":"0-65535","authorizedUdpPorts":"0-65535"}"#),
        1 => Just(r#"{"authorizedTcpPorts":"443","maxPrefixV4":"8"}"#),
        1 => Just(r#"{"otherProtocols":"noncompliant","ignoreUnattached":"true"}"#),
        1 => Just(r#"{"authorizedTcpPorts":"443","resolvePrefixLists":"false"}"#),
    ]
    .prop_map(parameters)
}

#[test]
fn generated_groups_are_open_and_closed_often_enough() {
    let params = parameters(r#"{"authorizedTcpPorts":"443"}"#);
    group_laws::generated_groups_are_varied(&VpcSgOpenOnlyToAuthorizedPorts, &params, [200, 200, 100]);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_group_with_only_authorized_ports_needs_no_plan(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_follows_a_finding(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params)?;
    }

    #[test]
    fn an_applicable_plan_closes_what_is_unauthorized_and_nothing_else(subject in groups(), params in parameter_texts()) {
        group_laws::a_plan_takes_only_what_is_wrong(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params)?;
    }

    #[test]
    fn undo_restores_the_footprint(subject in groups(), params in parameter_texts()) {
        group_laws::undo_restores_the_footprint(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params)?;
    }

    #[test]
    fn item_and_live_read_of_one_group_are_judged_alike(subject in groups(), params in parameter_texts()) {
        group_laws::item_and_live_read_are_judged_alike(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params)?;
    }

    #[test]
    fn authorizing_more_never_finds_more(subject in groups()) {
        let found = |text: &str| {
            VpcSgOpenOnlyToAuthorizedPorts.evaluate(&subject, &parameters(text), group_laws::NOW).is_non_compliant()
        };
        let (none, some) = (found("{}"), found(r#"{"authorizedTcpPorts":"443"}"#));
        let most = found(r#"{"authorizedTcpPorts":"20-443","authorizedUdpPorts":"22"}"#);
        prop_assert!(none >= some && some >= most);
    }
}
