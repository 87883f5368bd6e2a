//! Complete chains, and where the others break.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use rectify_cloudtrail::resources::qualifying::{ObservedTrail, Status};
use rectify_cloudtrail::resources::trail::{Description, ObservedFrom, Settings};
use rectify_compliance::{AccountId, Region, StoredState, Tags};
use rectify_policy::PolicyDocument;
use serde_json::json;

use super::*;
use crate::families::alarm_chain::filter::Transformation;
use crate::families::alarm_chain::observed::{Topic, TopicKey, WatchedMetric};
use crate::families::alarm_control::{AlarmControl, FirstEvent};

const ACCOUNT: &str = "111122223333";
pub(in crate::families) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";
const FOREIGN_TOPIC: &str = "arn:aws:sns:eu-west-1:444455556666:central";
const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:page";
pub(in crate::families) const PATTERN: &str = r#"{ $.userIdentity.type = "Root" }"#;

const REQUIREMENTS: AlarmRequirements = AlarmRequirements {
    events: ExpectedEvents { pattern: PATTERN, variants: &[], refused: None },
    tolerance: Tolerance { noisy: true, variants: true },
    limits: Limits { events: 1, seconds: 900, one_datapoint: true },
    trust_organization_trail: true,
    accept_other_targets: false,
    trust_unverified: false,
};

/// The control with these requirements.
pub(in crate::families) const ROOT: AlarmControl<FirstEvent> = AlarmControl {
    id: "cloudwatch-alarm-root-usage",
    events: REQUIREMENTS.events,
    metric: "RootUsage",
    one_datapoint: true,
    in_management_account: false,
    defaults: FirstEvent,
};

fn trail(owner: &str, group: Option<&str>) -> ObservedTrail {
    let described = Description {
        name: Some("main".into()),
        arn: Some(format!("arn:aws:cloudtrail:eu-west-1:{owner}:trail/main")),
        log_file_validation_enabled: Some(true),
        settings: Settings {
            is_multi_region_trail: Some(true),
            cloud_watch_logs_log_group_arn: group.map(str::to_owned),
            ..Settings::default()
        },
        ..Description::default()
    };
    let all = json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [],
        "ExcludeManagementEventSources": []}]});
    let is_own = owner == ACCOUNT;
    ObservedTrail {
        trail: described
            .seen(ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new("eu-west-1") })
            .unwrap(),
        status: is_own.then_some(Status { is_logging: true, latest_delivery_error: None }),
        selectors: is_own.then(|| serde_json::from_value(all).unwrap()),
    }
}

pub(in crate::families) fn filter(pattern: &str) -> MetricFilter {
    let transformation = Transformation {
        metric_namespace: "Audit".to_owned(),
        metric_name: "Root".to_owned(),
        metric_value: "1".to_owned(),
        default_value: Some(0.0),
        ..Transformation::default()
    };
    MetricFilter {
        name: "RootUse".to_owned(),
        pattern: pattern.to_owned(),
        transformations: vec![transformation],
        ..MetricFilter::default()
    }
}

pub(in crate::families) fn alarm(actions: &[&str]) -> MetricAlarm {
    MetricAlarm {
        name: "RootUse".to_owned(),
        arn: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:RootUse".to_owned(),
        actions_enabled: true,
        actions: actions.iter().map(|it| (*it).to_owned()).collect(),
        statistic: Some("Sum".to_owned()),
        comparison: Some("GreaterThanOrEqualToThreshold".to_owned()),
        threshold: Some(1.0),
        period: Some(300),
        evaluation_periods: Some(1),
        ..MetricAlarm::default()
    }
}

pub(in crate::families) fn topic(confirmed: u32, principal: &str, key: Option<TopicKey>) -> Topic {
    let publish =
        json!({"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sns:Publish", "Resource": "*"});
    Topic::Read { confirmed, policy: PolicyDocument(json!({ "Statement": publish })), key }
}

fn key(state: &str, actions: &[&str]) -> Option<TopicKey> {
    let service = json!({"Service": "cloudwatch.amazonaws.com"});
    let policy = PolicyDocument(
        json!({"Statement": {"Effect": "Allow", "Principal": service, "Action": actions, "Resource": "*"}}),
    );
    Some(TopicKey::Read { arn: "arn:aws:kms:eu-west-1:111122223333:key/1".to_owned(), state: state.to_owned(), policy })
}

pub(in crate::families) const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// A complete chain.
pub(in crate::families) fn complete() -> AlarmChains {
    AlarmChains {
        account: AccountId::new(ACCOUNT),
        region: Region::new("eu-west-1"),
        trails: vec![trail(ACCOUNT, Some("arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"))],
        groups: BTreeMap::from([("trail".to_owned(), Some(vec![filter(PATTERN)]))]),
        metrics: vec![WatchedMetric {
            namespace: "Audit".to_owned(),
            name: "Root".to_owned(),
            alarms: vec![alarm(&[TOPIC])],
        }],
        topics: BTreeMap::from([(TOPIC.to_owned(), topic(1, CLOUDWATCH, None))]),
        organization: None,
        own_alarm_exists: Some(false),
        tags: Tags::new(),
    }
}

pub(in crate::families) fn changed(change: impl FnOnce(&mut AlarmChains)) -> AlarmChains {
    let mut chains = complete();
    change(&mut chains);
    chains
}

fn with_topic(topic: Topic) -> AlarmChains {
    changed(|it| drop(it.topics.insert(TOPIC.to_owned(), topic)))
}

fn with_alarm(change: impl FnOnce(&mut MetricAlarm)) -> AlarmChains {
    complete().map_alarm(change)
}

impl AlarmChains {
    pub(in crate::families) fn map_alarm(mut self, change: impl FnOnce(&mut MetricAlarm)) -> Self {
        if let Some(alarm) = self.metrics.iter_mut().flat_map(|it| &mut it.alarms).next() {
            change(alarm);
        }
        self
    }
}

#[test]
fn a_chain_is_complete_or_reports_where_it_breaks() {
    let passed = "(filter RootUse ok, alarm RootUse ok)";
    let at = |text: &str| Verdict::non_compliant(format!("Alarm chain broken at {text}"));
    let elsewhere = |arn: &str| changed(|it| it.trails = vec![trail(ACCOUNT, Some(arn))]);
    let foreign = |arn: &str| changed(|it| it.trails = vec![trail("444455556666", Some(arn))]);
    let rows: Vec<(&str, AlarmChains, Verdict)> = vec![
        ("complete", complete(), Verdict::COMPLIANT),
        ("no trail", changed(|it| it.trails.clear()), at("trail: no qualifying trail")),
        ("no log group", changed(|it| it.trails = vec![trail(ACCOUNT, None)]), at("trail: trail has no log group")),
        (
            "another region",
            elsewhere("arn:aws:logs:us-east-1:111122223333:log-group:trail:*"),
            Verdict::not_applicable("evaluated in us-east-1"),
        ),
        (
            "cloudwatch-alarm-root-usage/12",
            foreign("arn:aws:logs:eu-west-1:444455556666:log-group:trail:*"),
            Verdict::not_applicable("evaluated in account 444455556666, eu-west-1"),
        ),
        (
            "organization trail that delivers here",
            foreign("arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"),
            Verdict::Compliant(Some("organization trail not verifiable".into())),
        ),
        (
            "log group deleted",
            changed(|it| drop(it.groups.insert("trail".to_owned(), None))),
            at("log group: trail does not exist"),
        ),
        (
            "no filter",
            changed(|it| drop(it.groups.insert("trail".to_owned(), Some(vec![])))),
            at("filter: log group trail has no filter"),
        ),
        (
            "cloudwatch-alarm-root-usage/10",
            changed(|it| drop(it.groups.insert("trail".to_owned(), Some(vec![filter("{ $.a = %x% }")])))),
            at("filter: none of 1 matches; closest RootUse: not comparable: a regular expression"),
        ),
        (
            "cloudwatch-alarm-root-usage/11",
            changed(|it| {
                let narrowed = MetricFilter { field_selection_criteria: Some("x".to_owned()), ..filter(PATTERN) };
                it.groups.insert("trail".to_owned(), Some(vec![filter("{ $.a = x }"), narrowed]));
            }),
            at("filter: none of 2 matches; closest RootUse: restricted by field selection criteria"),
        ),
        (
            "cloudwatch-alarm-root-usage/7",
            changed(|it| it.metrics.iter_mut().for_each(|it| it.namespace = "Other".to_owned())),
            at("alarm: no alarm on Audit Root (filter RootUse ok)"),
        ),
        (
            "cloudwatch-alarm-root-usage/8, disabled",
            with_alarm(|it| it.actions_enabled = false),
            at("alarm: RootUse has its actions disabled (filter RootUse ok)"),
        ),
        (
            "cloudwatch-alarm-root-usage/8, deleted topic",
            with_topic(Topic::Gone),
            at(&format!("subscription: topic alarms does not exist {passed}")),
        ),
        (
            "cloudwatch-alarm-root-usage/8, pending",
            with_topic(topic(0, CLOUDWATCH, None)),
            at(&format!("subscription: topic alarms has no confirmed subscription {passed}")),
        ),
        (
            "cloudwatch-alarm-root-usage/9",
            with_alarm(|it| it.evaluation_periods = Some(240)),
            at("alarm: RootUse needs 240 datapoints (max 1) (filter RootUse ok)"),
        ),
        (
            "no action",
            with_alarm(|it| it.actions.clear()),
            at(&format!("subscription: alarm RootUse notifies no topic {passed}")),
        ),
        (
            "policy of the topic",
            with_topic(topic(1, "events.amazonaws.com", None)),
            at(&format!("policy: topic alarms does not let CloudWatch publish {passed}")),
        ),
        (
            "AWS managed key",
            with_topic(topic(1, CLOUDWATCH, Some(TopicKey::OfAws))),
            at(&format!("key: topic alarms uses alias/aws/sns, which CloudWatch cannot use {passed}")),
        ),
        (
            "key without GenerateDataKey",
            with_topic(topic(1, CLOUDWATCH, key("Enabled", &["kms:Decrypt"]))),
            at(&format!("key: the key of topic alarms does not let CloudWatch use it {passed}")),
        ),
        (
            "key pending deletion",
            with_topic(topic(1, CLOUDWATCH, key("PendingDeletion", &["kms:*"]))),
            at(&format!("key: the key of topic alarms is PendingDeletion {passed}")),
        ),
        (
            "key whose primary Region changes",
            with_topic(topic(1, CLOUDWATCH, key("Updating", &["kms:*"]))),
            Verdict::COMPLIANT,
        ),
        (
            "usable key",
            with_topic(topic(1, CLOUDWATCH, key("Enabled", &["kms:Decrypt", "kms:GenerateDataKey*"]))),
            Verdict::COMPLIANT,
        ),
    ];
    for (case, chains, expected) in rows {
        assert_eq!(chains.evaluate(&REQUIREMENTS), expected, "{case}");
    }
}

#[test]
fn one_log_group_with_a_complete_chain_is_enough() {
    let both = changed(|it| {
        it.trails.push(trail(ACCOUNT, Some("arn:aws:logs:eu-west-1:111122223333:log-group:audit:*")));
        it.groups.insert("audit".to_owned(), Some(vec![]));
    });
    assert_eq!(both.evaluate(&REQUIREMENTS), Verdict::COMPLIANT, "cloudwatch-alarm-root-usage/6");
}

#[test]
fn an_unreadable_foreign_topic_gets_the_verdict_of_the_parameter() {
    let foreign = |topic| {
        changed(|it| drop(it.topics.insert(FOREIGN_TOPIC.to_owned(), topic)))
            .map_alarm(|it| it.actions = vec![FOREIGN_TOPIC.to_owned()])
    };
    let denied = foreign(Topic::Denied);
    let case = "cloudwatch-alarm-root-usage/13";
    let why = "topic central of account 444455556666 is not readable";
    assert_eq!(
        denied.evaluate(&REQUIREMENTS),
        Verdict::non_compliant(format!("Alarm chain not verifiable: {why}")),
        "{case}"
    );
    let trusted = AlarmRequirements { trust_unverified: true, ..REQUIREMENTS };
    assert_eq!(denied.evaluate(&trusted), Verdict::Compliant(Some(why.into())), "{case}");
    assert_eq!(foreign(topic(1, CLOUDWATCH, None)).evaluate(&REQUIREMENTS), Verdict::COMPLIANT, "{case}");
    let both = denied.map_alarm(|it| it.actions.push(TOPIC.to_owned()));
    assert_eq!(both.evaluate(&REQUIREMENTS), Verdict::COMPLIANT, "{case}: one target that notifies is enough");
}

#[test]
fn other_targets_count_if_accepted() {
    let function = with_alarm(|it| it.actions = vec![FUNCTION.to_owned()]);
    assert!(function.evaluate(&REQUIREMENTS).is_non_compliant());
    let accepted = AlarmRequirements { accept_other_targets: true, ..REQUIREMENTS };
    let remark = "alarm RootUse notifies a target other than a topic";
    assert_eq!(function.evaluate(&accepted), Verdict::Compliant(Some(remark.into())));
    let recovery = with_alarm(|it| it.actions = vec!["arn:aws:automate:eu-west-1:ec2:recover".to_owned()]);
    assert!(recovery.evaluate(&accepted).is_non_compliant());
}

#[test]
fn a_stored_chain_with_a_key_reads_back() {
    let chains = with_topic(topic(1, CLOUDWATCH, key("Enabled", &["kms:*"])));
    assert_eq!(StoredState::of(&chains).unwrap().read::<AlarmChains>(), Ok(chains));
}

proptest! {
    /// A chain without one of its links is never complete, even with extra filters.
    #[test]
    fn a_chain_without_one_of_its_links_is_broken(link in 0usize..6, more in any::<bool>()) {
        let chains = changed(|it| {
            if more {
                it.groups.insert("stray".to_owned(), Some(vec![filter(PATTERN)]));
            }
            match link {
                0 => it.trails.clear(),
                1 => drop(it.groups.remove("trail")),
                2 => drop(it.groups.insert("trail".to_owned(), Some(vec![]))),
                3 => it.metrics.clear(),
                4 => it.metrics.iter_mut().flat_map(|it| &mut it.alarms).for_each(|it| it.actions.clear()),
                _ => it.topics.clear(),
            }
        });
        prop_assert!(chains.evaluate(&REQUIREMENTS).is_non_compliant());
    }
}
