//! The plan for each broken link, and the properties.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use rectify_compliance::Remediation;
use rectify_compliance::parameters::RuleParameters;
use rectify_policy::PolicyDocument;
use rectify_testing::{Cases, Laws, NOW};

use super::*;
use crate::families::alarm_chain::chain::tests::{CLOUDWATCH, PATTERN, ROOT, TOPIC, changed, complete, filter, topic};
use crate::families::alarm_control::{AlarmParameters, FirstEvent};

const GIVEN: &str = r#"{"topicArn": "arn:aws:sns:eu-west-1:111122223333:alarms"}"#;
const NAME: &str = "cloudwatch-alarm-root-usage";
const FILTER: &str = r#"L1 PutMetricFilter {"filterName":"cloudwatch-alarm-root-usage","filterPattern":"{ $.userIdentity.type = \"Root\" }","logGroupName":"trail","metricTransformations":[{"defaultValue":0.0,"metricName":"RootUsage","metricNamespace":"CISBenchmark","metricValue":"1"}]}"#;

fn alarm_on(namespace: &str, metric: &str) -> String {
    format!(
        r#"L1 PutMetricAlarm {{"AlarmActions":["{TOPIC}"],"AlarmName":"{NAME}","ComparisonOperator":"GreaterThanOrEqualToThreshold","EvaluationPeriods":1,"MetricName":"{metric}","Namespace":"{namespace}","Period":300,"Statistic":"Sum","Threshold":1,"TreatMissingData":"notBreaching"}}"#
    )
}

fn params() -> AlarmParameters<FirstEvent> {
    RuleParameters::parse(Some(GIVEN)).unwrap().control
}

fn plan(chains: &AlarmChains) -> Plan<Action> {
    ROOT.plan(chains, &params(), NOW)
}

fn no_filter() -> AlarmChains {
    changed(|it| {
        it.groups.insert("trail".to_owned(), Some(vec![]));
        it.metrics.clear();
    })
}

fn no_alarm() -> AlarmChains {
    changed(|it| it.metrics.clear())
}

/// A chain whose topic does not let CloudWatch publish.
fn denying_topic() -> AlarmChains {
    changed(|it| drop(it.topics.insert(TOPIC.to_owned(), topic(1, "events.amazonaws.com", None))))
}

#[test]
fn only_the_broken_link_is_created() {
    let cases = Cases::of(&ROOT, complete());
    let case = |chains: AlarmChains, broken_at: &str, planned: &[&str]| {
        let finding = format!("Alarm chain broken at {broken_at}");
        cases.case("", |it| *it = chains).with(GIVEN).non_compliant(&finding).planned(planned);
    };
    let alarm = alarm_on("Audit", "Root");
    cases.case("complete", |_| ()).with(GIVEN).compliant();
    case(no_filter(), "filter: log group trail has no filter", &[FILTER, &alarm_on("CISBenchmark", "RootUsage")]);
    case(no_alarm(), "alarm: no alarm on Audit Root (filter RootUse ok)", &[&alarm]);
    let slow = complete().map_alarm(|it| it.period = Some(3600));
    case(slow, "alarm: RootUse takes 3600 s (max 900) (filter RootUse ok)", &[&alarm]);
    let idle = complete().map_alarm(|it| it.actions.clear());
    case(idle, "subscription: alarm RootUse notifies no topic (filter RootUse ok, alarm RootUse ok)", &[&alarm]);
    let disabled = complete().map_alarm(|it| it.actions_enabled = false);
    let enable = r#"L1 EnableAlarmActions {"AlarmNames":["RootUse"]}"#;
    case(disabled, "alarm: RootUse has its actions disabled (filter RootUse ok)", &[enable]);
}

#[test]
fn plans_are_manual_where_no_call_helps_and_blocked_where_in_doubt() {
    let cases = Cases::of(&ROOT, complete());
    let case = |chains: AlarmChains, parameters: &str, broken_at: &str, planned: &str| {
        let finding = format!("Alarm chain broken at {broken_at}");
        cases.case("", |it| *it = chains).with(parameters).non_compliant(&finding).planned(&[planned]);
    };
    let filters = |filters: Vec<MetricFilter>| changed(|it| drop(it.groups.insert("trail".to_owned(), Some(filters))));
    let named = |name: String| MetricFilter { name, ..filter("{ $.a = x }") };
    let no_trail = changed(|it| it.trails.clear());
    let configure = "L0 manual: configure a trail that records all management events to deliver to a log group in this \
                     account and region";
    case(no_trail, GIVEN, "trail: no qualifying trail", configure);
    let alarm_missing = "alarm: no alarm on Audit Root (filter RootUse ok)";
    case(no_alarm(), "{}", alarm_missing, "L0 manual: set topicArn to the topic for an alarm on Root");
    let pending = changed(|it| drop(it.topics.insert(TOPIC.to_owned(), topic(0, CLOUDWATCH, None))));
    let unconfirmed = "subscription: topic alarms has no confirmed subscription (filter RootUse ok, alarm RootUse ok)";
    case(
        pending,
        GIVEN,
        unconfirmed,
        "L0 manual: make the alarm's notification work: topic alarms has no confirmed subscription",
    );
    let taken = AlarmChains { own_alarm_exists: Some(true), ..no_alarm() };
    case(taken, GIVEN, alarm_missing, "blocked: an alarm named cloudwatch-alarm-root-usage already exists");
    case(
        filters(vec![named(NAME.to_owned())]),
        GIVEN,
        "filter: none of 1 matches; closest cloudwatch-alarm-root-usage: unrelated",
        "blocked: log group trail already has a filter named cloudwatch-alarm-root-usage",
    );
    case(
        filters((0..100).map(|number| named(number.to_string())).collect()),
        GIVEN,
        "filter: none of 100 matches; closest 99: unrelated",
        "blocked: log group trail already has the maximum of 100 filters",
    );
    case(
        no_filter(),
        r#"{"logGroupName": "audit"}"#,
        "filter: log group trail has no filter",
        "blocked: no qualifying trail delivers to log group audit in this account and region",
    );
}

#[test]
fn a_statement_is_added_and_existing_ones_stay() {
    let plan = plan(&denying_topic());
    assert_eq!((plan.level(), plan.blocker(true)), (Some(Level::L2), None));
    let Some(Action::SetTopicAttributes { attribute_value, .. }) = plan.calls().first().copied() else {
        panic!("{plan:?}")
    };
    let set: Value = serde_json::from_str(attribute_value).unwrap();
    let statements = set.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(statements.len(), 2);
    let Some(Topic::Read { policy, .. }) = denying_topic().topics.remove(TOPIC) else {
        panic!("a topic that was read")
    };
    assert_eq!(statements.first(), policy.0.get("Statement"));
    let denied = changed(|it| {
        let all =
            json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}]});
        it.topics.insert(TOPIC.to_owned(), Topic::Read { confirmed: 1, policy: PolicyDocument(all), key: None });
    });
    assert!(matches!(super::tests::plan(&denied), Plan::Blocked { .. }), "an added statement does not override a Deny");
}

#[test]
fn statement_order_is_not_a_change_and_a_deleted_principal_blocks_the_plan() {
    let owners = |one: &str, other: &str| {
        let statement = |sid: &str, owner: &str| {
            json!({"Sid": sid, "Effect": "Allow", "Principal": {"AWS": owner}, "Action": ["SNS:Subscribe", "SNS:Publish"],
                   "Resource": TOPIC})
        };
        let all = json!({"Statement": [statement(one, "111122223333"), statement(other, "111122223333")]});
        changed(|it| {
            it.topics.insert(TOPIC.to_owned(), Topic::Read { confirmed: 1, policy: PolicyDocument(all), key: None });
        })
    };
    let (put, returned) = (owners("A", "B"), owners("B", "A"));
    assert_eq!(put, returned);
    let done: Vec<Action> = plan(&put).calls().into_iter().cloned().collect();
    assert!(matches!(done.as_slice(), [Action::SetTopicAttributes { .. }]), "{done:?}");
    assert_eq!(put.touched_fields(&done), returned.touched_fields(&done));
    assert_eq!(put.predict(&done[0]), returned.predict(&done[0]));
    assert_ne!(put.touched_fields(&done), put.predict(&done[0]).touched_fields(&done));

    let policy = json!({"Statement": {"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": "AIDAEXAMPLEID"},
                                      "Action": "SNS:Publish", "Resource": TOPIC}});
    let deleted = changed(|it| {
        it.topics.insert(TOPIC.to_owned(), Topic::Read { confirmed: 1, policy: PolicyDocument(policy), key: None });
    });
    let Plan::Blocked { reason, .. } = plan(&deleted) else { panic!("not blocked") };
    assert!(reason.starts_with("statement `Old` of the policy of ") && reason.contains("AIDAEXAMPLEID"), "{reason}");
}

#[test]
fn preexisting_filters_and_alarms_are_never_deleted() {
    let existing = MetricFilter { name: NAME.to_owned(), ..filter(PATTERN) };
    let before = changed(|it| {
        it.groups.insert("trail".to_owned(), Some(vec![existing]));
        it.own_alarm_exists = Some(true);
    });
    let calls = plan(&no_filter());
    for action in calls.calls() {
        assert!(undo(&before, std::slice::from_ref(action)).is_err(), "{action:?}");
    }
    assert_eq!(undo(&before, &[]), Ok(vec![]));
}

/// A chain after one undo call.
fn reverted(mut chains: AlarmChains, undo: &Undo) -> AlarmChains {
    match undo {
        Undo::DeleteMetricFilter { log_group_name, filter_name } => {
            if let Some(Some(filters)) = chains.groups.get_mut(log_group_name) {
                filters.retain(|it| it.name != *filter_name);
            }
        }
        Undo::DeleteAlarms { alarm_names } => {
            chains.metrics.iter_mut().for_each(|it| it.alarms.retain(|it| !alarm_names.contains(&it.name)));
            chains.own_alarm_exists = Some(false);
        }
        Undo::DisableAlarmActions { alarm_names } => {
            let alarms = chains.metrics.iter_mut().flat_map(|it| &mut it.alarms);
            alarms.filter(|it| alarm_names.contains(&it.name)).for_each(|it| it.actions_enabled = false);
        }
        Undo::SetTopicAttributes { topic_arn, attribute_name, attribute_value } => {
            let (topic_arn, attribute_name) = (topic_arn.clone(), attribute_name.clone());
            let set =
                Action::SetTopicAttributes { topic_arn, attribute_name, attribute_value: attribute_value.clone() };
            chains = chains.predict(&set);
        }
    }
    chains
}

fn chains() -> impl Strategy<Value = AlarmChains> {
    let pattern = prop_oneof![3 => Just(PATTERN), 1 => Just("{ $.a = x }")];
    let principal = prop_oneof![3 => Just(CLOUDWATCH), 1 => Just("events.amazonaws.com")];
    let mostly = || prop::bool::weighted(0.75);
    let period = prop::sample::select(vec![60, 300, 900, 3600]);
    (pattern, principal, mostly().prop_map(u32::from), mostly(), mostly(), period).prop_map(
        |(pattern, principal, confirmed, enabled, watched, period)| {
            changed(|it| {
                it.groups.insert("trail".to_owned(), Some(vec![filter(pattern)]));
                it.topics.insert(TOPIC.to_owned(), topic(confirmed, principal, None));
                if !watched {
                    it.metrics.iter_mut().for_each(|it| it.alarms.clear());
                }
            })
            .map_alarm(|it| {
                it.actions_enabled = enabled;
                it.period = Some(period);
            })
        },
    )
}

/// Whether an existing filter or alarm differs in more than the alarm's enabled actions.
fn edited(before: &AlarmChains, after: &AlarmChains) -> bool {
    let filters =
        |chains: &AlarmChains, group: &String| chains.groups.get(group).cloned().flatten().unwrap_or_default();
    let alarms = |chains: &AlarmChains| -> Vec<MetricAlarm> {
        let alarms = chains.metrics.iter().flat_map(|it| it.alarms.clone());
        alarms.map(|it| MetricAlarm { actions_enabled: true, ..it }).collect()
    };
    let kept = |group: &String| filters(before, group).iter().all(|it| filters(after, group).contains(it));
    !before.groups.keys().all(kept) || !alarms(before).iter().all(|it| alarms(after).contains(it))
}

#[test]
fn laws() {
    let policy = format!("/topics/{TOPIC}/policy");
    let touched = ["/groups/trail", "/metrics", "/ownAlarmExists", policy.as_str()];
    Laws::of(&ROOT, &touched, |_, chains, undo| reverted(chains, undo)).never(edited).hold((chains(), Just(params())));
}
