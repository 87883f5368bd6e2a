//! What is planned for each broken link, and that it makes the chain whole and can be taken back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use rectify_compliance::plan::call_text;
use rectify_policy::PolicyDocument;

use super::*;
use crate::alarm_chain::chain::tests::{CLOUDWATCH, DEMANDS, PATTERN, TOPIC, changed, filter, topic, whole};

const MAKING: Making<'_> = Making {
    name: "cloudwatch-alarm-root-usage",
    metric: "RootUsage",
    namespace: "CISBenchmark",
    threshold: 1,
    period: 300,
    topic_arn: Some(TOPIC),
    log_group: None,
};

fn operations(plan: &Plan<Action>) -> Vec<String> {
    let operation = |call: &Action| call_text(call).split(' ').next().unwrap_or_default().to_owned();
    plan.calls().into_iter().map(operation).collect()
}

fn no_filter() -> AlarmChains {
    changed(|it| {
        it.groups.insert("trail".to_owned(), Some(vec![]));
        it.metrics.clear();
    })
}

fn deaf() -> AlarmChains {
    changed(|it| drop(it.topics.insert(TOPIC.to_owned(), topic(1, "events.amazonaws.com", None))))
}

#[test]
fn each_broken_link_is_made_anew_and_nothing_else() {
    let plan = |chains: &AlarmChains| chains.plan(&DEMANDS, &MAKING);
    assert_eq!(plan(&whole()), Plan::Nothing);
    for (case, chains, calls, level) in [
        ("no filter", no_filter(), vec!["PutMetricFilter", "PutMetricAlarm"], Level::L1),
        ("no alarm", changed(|it| it.metrics.clear()), vec!["PutMetricAlarm"], Level::L1),
        ("slow alarm", whole().map_alarm(|it| it.period = Some(3600)), vec!["PutMetricAlarm"], Level::L1),
        ("alarm without action", whole().map_alarm(|it| it.actions.clear()), vec!["PutMetricAlarm"], Level::L1),
        ("disabled actions", whole().map_alarm(|it| it.actions_enabled = false), vec!["EnableAlarmActions"], Level::L1),
        ("policy of the topic", deaf(), vec!["SetTopicAttributes"], Level::L2),
    ] {
        let plan = plan(&chains);
        assert_eq!(
            (operations(&plan), plan.level(), plan.obstacle(true)),
            (calls.iter().map(|it| (*it).to_owned()).collect(), Some(level), None),
            "{case}: {plan:?}"
        );
    }
}

#[test]
fn the_calls_are_spelt_as_the_services_spell_them() {
    let plan = no_filter().plan(&DEMANDS, &MAKING);
    let calls: Vec<String> = plan.calls().into_iter().map(call_text).collect();
    let filter = r#"PutMetricFilter {"filterName":"cloudwatch-alarm-root-usage","filterPattern":"{ $.userIdentity.type = \"Root\" }","logGroupName":"trail","metricTransformations":[{"defaultValue":0.0,"metricName":"RootUsage","metricNamespace":"CISBenchmark","metricValue":"1"}]}"#;
    let alarm = format!(
        r#"PutMetricAlarm {{"AlarmActions":["{TOPIC}"],"AlarmName":"cloudwatch-alarm-root-usage","ComparisonOperator":"GreaterThanOrEqualToThreshold","EvaluationPeriods":1,"MetricName":"RootUsage","Namespace":"CISBenchmark","Period":300,"Statistic":"Sum","Threshold":1,"TreatMissingData":"notBreaching"}}"#
    );
    assert_eq!(calls, [filter.to_owned(), alarm]);
}

#[test]
fn a_person_is_asked_where_no_call_helps_and_a_doubt_holds_the_rest() {
    let taken = |chains: AlarmChains| AlarmChains { own_alarm_exists: Some(true), ..chains };
    let person = |text: &str| Some(("a step must be taken by a person".to_owned(), text.to_owned()));
    let hold = |text: &str| Some((text.to_owned(), String::new()));
    let without_topic = Making { topic_arn: None, ..MAKING };
    let other_group = Making { log_group: Some("audit"), ..MAKING };
    let full = changed(|it| {
        let filters = (0..100).map(|number| MetricFilter { name: number.to_string(), ..filter("{ $.a = x }") });
        it.groups.insert("trail".to_owned(), Some(filters.collect()));
    });
    let same_name = changed(|it| {
        let named = MetricFilter { name: MAKING.name.to_owned(), ..filter("{ $.a = x }") };
        it.groups.insert("trail".to_owned(), Some(vec![named]));
    });
    let unheard = changed(|it| drop(it.topics.insert(TOPIC.to_owned(), topic(0, CLOUDWATCH, None))));
    for (case, chains, making, expected) in [
        (
            "no trail",
            changed(|it| it.trails.clear()),
            MAKING,
            person("let a trail that records all management events write to a log group here"),
        ),
        (
            "no topic named",
            changed(|it| it.metrics.clear()),
            without_topic,
            person("name a topic by topicArn, for an alarm on Root"),
        ),
        ("nobody listens", unheard, MAKING, person("let an alarm reach somebody: topic alarms has 0 confirmed")),
        (
            "name of the alarm is taken",
            taken(changed(|it| it.metrics.clear())),
            MAKING,
            hold("there is another alarm cloudwatch-alarm-root-usage"),
        ),
        (
            "name of the filter is taken",
            same_name,
            MAKING,
            hold("log group trail has another filter cloudwatch-alarm-root-usage"),
        ),
        ("a hundred filters", full, MAKING, hold("log group trail has 100 filters, as many as it can")),
        (
            "a log group that no trail writes to",
            no_filter(),
            other_group,
            hold("no trail that counts writes to log group audit here"),
        ),
    ] {
        let plan = chains.plan(&DEMANDS, &making);
        let words = plan.steps().iter().find_map(|step| match &step.work {
            rectify_compliance::Work::Person(words) => Some(words.clone()),
            rectify_compliance::Work::Call(_) => None,
        });
        assert_eq!(plan.obstacle(true).map(|it| (it, words.unwrap_or_default())), expected, "{case}");
    }
}

#[test]
fn a_statement_is_added_and_the_others_stay() {
    let plan = deaf().plan(&DEMANDS, &MAKING);
    let Some(Action::SetTopicAttributes { attribute_value, .. }) = plan.calls().first().copied() else {
        panic!("{plan:?}")
    };
    let set: Value = serde_json::from_str(attribute_value).unwrap();
    let statements = set.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(statements.len(), 2);
    let Some(Topic::Read { policy, .. }) = deaf().topics.remove(TOPIC) else { panic!("a topic that was read") };
    assert_eq!(statements.first(), policy.0.get("Statement"));
    let denied = changed(|it| {
        let all =
            json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}]});
        it.topics.insert(TOPIC.to_owned(), Topic::Read { confirmed: 1, policy: PolicyDocument(all), key: None });
    });
    assert!(
        matches!(denied.plan(&DEMANDS, &MAKING), Plan::Hold { .. }),
        "a statement more does not help against a Deny"
    );
}

#[test]
fn a_topic_policy_in_another_order_is_no_change_and_a_deleted_principal_is_left_to_a_person() {
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
    let done: Vec<Action> = put.plan(&DEMANDS, &MAKING).calls().into_iter().cloned().collect();
    assert!(matches!(done.as_slice(), [Action::SetTopicAttributes { .. }]), "{done:?}");
    assert_eq!(put.footprint(&done), returned.footprint(&done));
    assert_eq!(put.expect(&done[0]), returned.expect(&done[0]));
    assert_ne!(put.footprint(&done), put.expect(&done[0]).footprint(&done));

    let policy = json!({"Statement": {"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": "AIDAEXAMPLEID"},
                                      "Action": "SNS:Publish", "Resource": TOPIC}});
    let deleted = changed(|it| {
        it.topics.insert(TOPIC.to_owned(), Topic::Read { confirmed: 1, policy: PolicyDocument(policy), key: None });
    });
    let Plan::Hold { reason, .. } = deleted.plan(&DEMANDS, &MAKING) else { panic!("no hold") };
    assert!(reason.starts_with("statement `Old` of the policy of ") && reason.contains("AIDAEXAMPLEID"), "{reason}");
}

#[test]
fn what_was_there_before_is_never_deleted() {
    let filter_there = MetricFilter { name: MAKING.name.to_owned(), ..filter(PATTERN) };
    let before = changed(|it| {
        it.groups.insert("trail".to_owned(), Some(vec![filter_there]));
        it.own_alarm_exists = Some(true);
    });
    let calls = no_filter().plan(&DEMANDS, &MAKING);
    for action in calls.calls() {
        assert!(undo(&before, std::slice::from_ref(action)).is_err(), "{action:?}");
    }
    assert_eq!(undo(&before, &[]), Ok(vec![]));
}

/// What the API makes of an undo.
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
            chains = chains.expect(&set);
        }
    }
    chains
}

fn chains() -> impl Strategy<Value = AlarmChains> {
    let pattern = prop::sample::select(vec![PATTERN, "{ $.a = x }"]);
    let principal = prop::sample::select(vec![CLOUDWATCH, "events.amazonaws.com"]);
    (pattern, principal, 0u32..2, any::<bool>(), any::<bool>(), prop::sample::select(vec![60, 300, 3600])).prop_map(
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

proptest! {
    #[test]
    fn a_plan_without_a_person_makes_the_chain_whole_and_undo_restores_it(before in chains()) {
        let plan = before.plan(&DEMANDS, &MAKING);
        prop_assert_eq!(plan != Plan::Nothing, before.judge(&DEMANDS).is_non_compliant());
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        let after = actions.iter().fold(before.clone(), |chains, action| chains.expect(action));
        if plan.obstacle(true).is_none() {
            prop_assert!(!after.judge(&DEMANDS).is_non_compliant());
            prop_assert_eq!(after.plan(&DEMANDS, &MAKING), Plan::Nothing);
        }
        let calls = undo(&before, &actions).unwrap();
        let restored = calls.iter().fold(after.clone(), reverted);
        prop_assert_eq!(restored.footprint(&actions), before.footprint(&actions));
        prop_assert_eq!(actions.is_empty(), after.footprint(&actions) == before.footprint(&actions));
    }

    /// Nothing that was there is changed, but for what a call names.
    #[test]
    fn filters_and_alarms_that_were_there_stay(before in chains()) {
        let plan = before.plan(&DEMANDS, &MAKING);
        let after = plan.calls().into_iter().fold(before.clone(), |chains, action| chains.expect(action));
        for (name, filters) in &before.groups {
            let kept = after.groups.get(name).cloned().flatten().unwrap_or_default();
            prop_assert!(filters.iter().flatten().all(|it| kept.contains(it)));
        }
        for alarm in before.metrics.iter().flat_map(|it| &it.alarms) {
            let same = |it: &MetricAlarm| MetricAlarm { actions_enabled: alarm.actions_enabled, ..it.clone() } == *alarm;
            prop_assert!(after.metrics.iter().flat_map(|it| &it.alarms).any(same));
        }
        prop_assert_eq!(&after.trails, &before.trails);
    }
}
