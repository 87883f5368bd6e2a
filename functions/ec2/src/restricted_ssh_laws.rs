//! What holds of `restricted-ssh` for every group: laws over generated ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Image, Resource, StoredImage};

use super::*;
use crate::arbitrary::{as_item, as_live, groups, ingress};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn parameters(text: &str) -> RestrictedSshParameters {
    RuleParameters::<RestrictedSshParameters>::parse(Some(text)).unwrap().control
}

/// What EC2 makes of an undo: the rule again, under another id.
fn play(mut subject: GroupInNetwork, undo: &RestrictedSshUndo) -> GroupInNetwork {
    let RestrictedSshUndo::AuthorizeSecurityGroupIngress(call) = undo;
    let tags: rectify_compliance::Tags = call
        .tag_specifications
        .iter()
        .flat_map(|it| it.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())))
        .collect();
    for permission in &call.ip_permissions {
        let v4 = permission.ip_ranges.iter().map(|it| (it.cidr_ip.clone(), it.description.clone()));
        let v6 = permission.ipv6_ranges.iter().map(|it| (it.cidr_ipv6.clone(), it.description.clone()));
        for (cidr, description) in v4.chain(v6) {
            let (from, to) = (permission.from_port.unwrap(), permission.to_port.unwrap());
            let id = Some(format!("sgr-new-{}", subject.group.rules.len()));
            let rule =
                Rule { description, tags: tags.clone(), id, ..ingress(&permission.ip_protocol, from, to, &cidr) };
            subject.group.rules.push(rule);
        }
    }
    subject.group.rules.sort();
    subject
}

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
    let mut runner = TestRunner::deterministic();
    let (mut open, mut closed, mut applicable) = (0, 0, 0);
    for _ in 0..1000 {
        let subject = groups().new_tree(&mut runner).unwrap().current();
        let verdict = RestrictedSsh::evaluate(&subject, &parameters("{}"), NOW);
        open += u32::from(verdict.is_non_compliant());
        closed += u32::from(verdict.is_compliant());
        let plan = RestrictedSsh::plan(&subject, &parameters("{}"), NOW);
        applicable += u32::from(plan != Plan::Nothing && plan.obstacle(true).is_none());
    }
    assert!(open >= 200 && closed >= 200 && applicable >= 200, "open {open}, closed {closed}, applicable {applicable}");
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_group_that_is_not_open_needs_no_plan(subject in groups(), params in parameter_texts()) {
        let open = RestrictedSsh::evaluate(&subject, &params, NOW).is_non_compliant();
        prop_assert_eq!(RestrictedSsh::plan(&subject, &params, NOW) == Plan::Nothing, !open);
    }

    #[test]
    fn an_applicable_plan_closes_the_group_and_touches_nothing_else(subject in groups(), params in parameter_texts()) {
        let plan = RestrictedSsh::plan(&subject, &params, NOW);
        if plan == Plan::Nothing || plan.obstacle(true).is_some() {
            return Ok(());
        }
        let after = plan.calls().into_iter().fold(subject.clone(), RestrictedSsh::expect);
        prop_assert!(RestrictedSsh::evaluate(&after, &params, NOW).is_compliant());
        prop_assert_eq!(RestrictedSsh::plan(&after, &params, NOW), Plan::Nothing);
        for rule in &subject.group.rules {
            let alone = GroupInNetwork {
                group: SecurityGroup { rules: vec![rule.clone()], ..subject.group.clone() },
                network: subject.network.clone(),
            };
            let faulty = RestrictedSsh::evaluate(&alone, &params, NOW).is_non_compliant();
            prop_assert_eq!(after.group.rules.contains(rule), !faulty, "{}", rule);
        }
        let group = SecurityGroup { rules: subject.group.rules.clone(), ..after.group };
        prop_assert_eq!(GroupInNetwork { group, network: after.network }, subject);
    }

    #[test]
    fn undo_restores_the_footprint(subject in groups(), params in parameter_texts()) {
        let plan = RestrictedSsh::plan(&subject, &params, NOW);
        let done: Vec<RestrictedSshAction> = plan.calls().into_iter().cloned().collect();
        let after = done.iter().fold(subject.clone(), RestrictedSsh::expect);
        let receipts: Vec<_> = done.iter().cloned().map(|action| (action, ())).collect();
        let restored = RestrictedSsh::undo(&subject, &receipts).unwrap().iter().fold(after.clone(), play);
        prop_assert_eq!(RestrictedSsh::footprint(&restored, &done), RestrictedSsh::footprint(&subject, &done));
        if !done.is_empty() {
            prop_assert_ne!(RestrictedSsh::footprint(&after, &done), RestrictedSsh::footprint(&subject, &done));
        }
    }

    #[test]
    fn item_and_live_read_of_one_group_are_judged_alike(subject in groups(), params in parameter_texts()) {
        let group = SecurityGroup::from_item(&as_item(&subject.group)).unwrap();
        let from_item = RestrictedSsh::subject(group, subject.network.clone());
        let mut rules: Vec<Rule> = as_live(&subject.group).into_iter().map(|rule| rule.try_into().unwrap()).collect();
        rules.sort();
        let group = SecurityGroup { rules, ..subject.group.clone() };
        let live = GroupInNetwork { group, network: subject.network.clone() };
        let expected = RestrictedSsh::evaluate(&subject, &params, NOW);
        prop_assert_eq!(RestrictedSsh::evaluate(&from_item, &params, NOW), expected.clone());
        prop_assert_eq!(RestrictedSsh::evaluate(&live, &params, NOW), expected);
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
