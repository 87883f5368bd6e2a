//! What `ec2-imdsv2-check` must say and plan: tables of cases, then laws over generated instances.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Resource, StoredImage};

use super::*;
use crate::instance::Instance;
use crate::instance::tests::{instance, item_of};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const SILENT: Option<TokenlessCalls> = Some(TokenlessCalls { observed_days: 14, calls: 0 });

fn parameters(text: &str) -> Ec2Imdsv2CheckParameters {
    RuleParameters::<Ec2Imdsv2CheckParameters>::parse(Some(text)).unwrap().control
}

fn options(http_tokens: HttpTokens, hops: u32) -> MetadataOptions {
    MetadataOptions {
        http_tokens: Some(http_tokens),
        http_endpoint: Some(HttpEndpoint::Enabled),
        http_put_response_hop_limit: Some(hops),
    }
}

/// A running instance with these options that nobody called without a token.
fn subject(http_tokens: HttpTokens, hops: u32) -> InstanceMetadata {
    InstanceMetadata {
        instance: instance("running"),
        options: Some(options(http_tokens, hops)),
        tokenless_calls: SILENT,
    }
}

fn in_state(state: &str) -> InstanceMetadata {
    InstanceMetadata { instance: instance(state), ..subject(HttpTokens::Optional, 1) }
}

fn told(verdict: &Verdict) -> String {
    let annotation = verdict.annotation().map_or_else(String::new, |it| format!(": {it}"));
    format!("{}{annotation}", verdict.compliance_type())
}

fn verdict(subject: &InstanceMetadata, params: &str) -> String {
    told(&Ec2Imdsv2Check.evaluate(subject, &parameters(params), NOW))
}

/// The plan in words: why it is held, then its steps.
fn plan(subject: &InstanceMetadata, params: &str) -> Vec<String> {
    let plan = Ec2Imdsv2Check.plan(subject, &parameters(params), NOW);
    let held = if let Plan::Hold { reason, .. } = &plan { vec![format!("held: {reason}")] } else { vec![] };
    let steps = plan.steps().iter().map(|step| match &step.work {
        rectify_compliance::Work::Call(action) => format!("{} {}", step.level, call_text(action)),
        rectify_compliance::Work::Person(words) => format!("{} person: {words}", step.level),
    });
    held.into_iter().chain(steps).collect()
}

const REQUIRE: &str = r#"L2 ModifyInstanceMetadataOptions {"HttpTokens":"required","InstanceId":"i-1"}"#;
const ALLOWS: &str = "NON_COMPLIANT: i-1 allows IMDSv1 (httpTokens=optional)";

#[test]
fn tokens_then_hops_decide() {
    let with = |change: fn(&mut InstanceMetadata)| {
        let mut it = subject(HttpTokens::Optional, 1);
        change(&mut it);
        it
    };
    let disabled = with(|it| it.options.as_mut().unwrap().http_endpoint = Some(HttpEndpoint::Disabled));
    let fleet = with(|it| {
        it.instance.tags.insert("aws:autoscaling:groupName".to_owned(), "web".to_owned());
    });
    let endpoint_alone = with(|it| {
        let http_endpoint = Some(HttpEndpoint::Disabled);
        it.options = Some(MetadataOptions { http_endpoint, ..MetadataOptions::default() });
    });
    let no_tokens = with(|it| it.options.as_mut().unwrap().http_tokens = None);
    let no_limit = with(|it| {
        it.options = Some(MetadataOptions { http_put_response_hop_limit: None, ..options(HttpTokens::Required, 1) });
    });
    for (case, subject, params, expected) in [
        ("ec2-imdsv2-check/1", subject(HttpTokens::Optional, 1), "{}", ALLOWS),
        ("ec2-imdsv2-check/2", subject(HttpTokens::Required, 1), "{}", "COMPLIANT"),
        ("required, any hop limit", subject(HttpTokens::Required, 64), "{}", "COMPLIANT"),
        ("ec2-imdsv2-check/3", disabled, "{}", "COMPLIANT: metadata endpoint disabled"),
        ("ec2-imdsv2-check/9", endpoint_alone, "{}", "COMPLIANT: metadata endpoint disabled"),
        ("no tokens told", no_tokens, "{}", "NON_COMPLIANT: i-1 does not state whether tokens are required"),
        ("ec2-imdsv2-check/5", in_state("terminated"), "{}", "NOT_APPLICABLE: instance is terminated"),
        ("going", in_state("shutting-down"), "{}", "NOT_APPLICABLE: instance is shutting-down"),
        ("stopped", in_state("stopped"), "{}", ALLOWS),
        ("no state", with(|it| it.instance.state = None), "{}", ALLOWS),
        (
            "ec2-imdsv2-check/8",
            subject(HttpTokens::Required, 2),
            r#"{"maxHopLimit":"1"}"#,
            "NON_COMPLIANT: i-1 lets metadata travel 2 hops; expected at most 1",
        ),
        ("as many hops as allowed", subject(HttpTokens::Required, 2), r#"{"maxHopLimit":"2"}"#, "COMPLIANT"),
        ("tokens before hops", subject(HttpTokens::Optional, 9), r#"{"maxHopLimit":"1"}"#, ALLOWS),
        (
            "no hop limit told",
            no_limit.clone(),
            r#"{"maxHopLimit":"64"}"#,
            "NON_COMPLIANT: i-1 does not tell its hop limit; expected at most 64",
        ),
        ("no hop limit told, none asked for", no_limit, "{}", "COMPLIANT"),
        ("no options", with(|it| it.options = None), "{}", "NON_COMPLIANT: i-1 does not tell its metadata options"),
        (
            "of a fleet",
            fleet,
            "{}",
            "NON_COMPLIANT: i-1 allows IMDSv1 (httpTokens=optional); launched by Auto Scaling group web",
        ),
    ] {
        assert_eq!(verdict(&subject, params), expected, "{case}");
    }
}

/// `ec2-imdsv2-check/4`
#[test]
fn an_old_item_is_asked_about_live() {
    let recorded = |configuration: Value| RecordedMetadata::from_item(&item_of(configuration)).unwrap();
    let running = json!({"name": "running"});
    let old = recorded(json!({"state": running}));
    assert!(!old.suffices(false));
    let judged = |live| verdict(&Ec2Imdsv2Check.subject(old.clone(), live), "{}");
    assert_eq!(judged(Some(options(HttpTokens::Required, 1))), "COMPLIANT");
    assert_eq!(judged(Some(options(HttpTokens::Optional, 1))), ALLOWS);
    let new = recorded(json!({"state": running, "metadataOptions": {"httpTokens": "required"}}));
    assert!(new.suffices(false) && !new.suffices(true));
    assert!(recorded(json!({"state": {"name": "terminated"}})).suffices(true));
}

/// `ec2-imdsv2-check/9`, `ec2-imdsv2-check/10`
#[test]
fn each_option_of_an_item_counts_for_itself() {
    for (options, suffices, with_hop_limit) in [
        (json!({"httpEndpoint": "disabled"}), true, true),
        (json!({"httpEndpoint": "disabled", "httpTokens": null}), true, true),
        (json!({"httpEndpoint": "enabled", "httpTokens": null}), false, false),
        (json!({"httpEndpoint": "enabled"}), false, false),
        (json!({}), false, false),
        (json!({"httpPutResponseHopLimit": 1}), false, false),
        (json!({"httpTokens": "optional"}), false, false),
        (json!({"httpTokens": "optional", "httpEndpoint": "enabled"}), true, false),
        (json!({"httpTokens": "required", "httpEndpoint": null}), true, false),
        (json!({"httpTokens": "required", "httpPutResponseHopLimit": 1}), true, true),
    ] {
        let item = item_of(json!({"state": {"name": "running"}, "metadataOptions": options}));
        let recorded = RecordedMetadata::from_item(&item).unwrap();
        assert_eq!((recorded.suffices(false), recorded.suffices(true)), (suffices, with_hop_limit), "{options}");
        if !suffices {
            let judged = |live| verdict(&Ec2Imdsv2Check.subject(recorded.clone(), Some(live)), "{}");
            assert_eq!(judged(self::options(HttpTokens::Required, 1)), "COMPLIANT", "{options}");
            assert_eq!(judged(self::options(HttpTokens::Optional, 1)), ALLOWS, "{options}");
            assert!(verdict(&Ec2Imdsv2Check.subject(recorded, None), "{}").starts_with("NON_COMPLIANT"), "{options}");
        }
    }
    let alone =
        RecordedMetadata::from_item(&item_of(json!({"metadataOptions": {"httpEndpoint": "disabled"}}))).unwrap();
    assert_eq!(verdict(&Ec2Imdsv2Check.subject(alone, None), "{}"), "COMPLIANT: metadata endpoint disabled");
}

#[test]
fn the_fix_waits_until_nobody_calls_without_a_token() {
    let seen = |tokenless_calls| InstanceMetadata { tokenless_calls, ..subject(HttpTokens::Optional, 1) };
    let calls = |observed_days, calls| seen(Some(TokenlessCalls { observed_days, calls }));
    let managed = InstanceMetadata {
        instance: Instance { operator: Some("eks.amazonaws.com".to_owned()), ..instance("running") },
        ..subject(HttpTokens::Optional, 1)
    };
    let hop_words =
        "L2 person: lower the response hop limit of i-1, which lets metadata travel 2 hops; expected at most 1";
    let rows: Vec<(&str, InstanceMetadata, &str, Vec<&str>)> = vec![
        ("silent", subject(HttpTokens::Optional, 1), "{}", vec![REQUIRE]),
        ("stopped and silent", in_state("stopped"), "{}", vec![REQUIRE]),
        ("right already", subject(HttpTokens::Required, 1), "{}", vec![]),
        ("ec2-imdsv2-check/6", calls(0, 0), "{}", vec!["held: MetadataNoToken has no datapoints in 14 days", REQUIRE]),
        (
            "ec2-imdsv2-check/7",
            calls(14, 3),
            "{}",
            vec!["held: MetadataNoToken counts 3 calls without a token in 14 days", REQUIRE],
        ),
        ("seen too shortly", calls(3, 0), "{}", vec!["held: MetadataNoToken reaches back 3 of 14 days", REQUIRE]),
        ("long enough", calls(3, 0), r#"{"observationDays":"3"}"#, vec![REQUIRE]),
        ("not read", seen(None), "{}", vec!["held: the calls without a token were not read", REQUIRE]),
        (
            "neither running nor stopped",
            in_state("stopping"),
            "{}",
            vec!["held: the instance is in state `stopping`; expected running or stopped", REQUIRE],
        ),
        ("managed", managed, "{}", vec!["held: the instance is managed by `eks.amazonaws.com`", REQUIRE]),
        ("ec2-imdsv2-check/8", subject(HttpTokens::Required, 2), r#"{"maxHopLimit":"1"}"#, vec![hop_words]),
        ("tokens and hops", subject(HttpTokens::Optional, 2), r#"{"maxHopLimit":"1"}"#, vec![REQUIRE, hop_words]),
    ];
    for (case, subject, params, expected) in rows {
        assert_eq!(plan(&subject, params), expected, "{case}");
    }
    let both = Ec2Imdsv2Check.plan(&subject(HttpTokens::Optional, 2), &parameters(r#"{"maxHopLimit":"1"}"#), NOW);
    assert!(both.obstacle(true).is_some(), "what a machine cannot finish it does not begin");
}

#[test]
fn undo_lets_calls_without_a_token_through_again() {
    let before = subject(HttpTokens::Optional, 3);
    let Plan::Do { steps } = Ec2Imdsv2Check.plan(&before, &parameters("{}"), NOW) else { panic!("a plan") };
    let done: Vec<_> = steps.iter().map(|step| step.action().unwrap().clone()).collect();
    let undo = Ec2Imdsv2Check.undo(&before, &done).unwrap();
    let texts: Vec<String> = undo.iter().map(call_text).collect();
    assert_eq!(texts, [r#"ModifyInstanceMetadataOptions {"HttpTokens":"optional","InstanceId":"i-1"}"#]);
    let unread = InstanceMetadata { options: None, ..before };
    assert!(Ec2Imdsv2Check.undo(&unread, &done).unwrap_err().to_string().contains("does not hold the options"));
}

#[test]
fn parameters_out_of_range_are_refused() {
    for text in [r#"{"maxHopLimit":"65"}"#, r#"{"maxHopLimit":"0"}"#, r#"{"observationDays":"16"}"#] {
        assert!(RuleParameters::<Ec2Imdsv2CheckParameters>::parse(Some(text)).is_err(), "{text}");
    }
}

fn subjects() -> impl Strategy<Value = InstanceMetadata> {
    let tokens = prop::sample::select(vec![
        HttpTokens::Optional,
        HttpTokens::Optional,
        HttpTokens::Optional,
        HttpTokens::Required,
    ]);
    let endpoint = prop::sample::select(vec![
        HttpEndpoint::Enabled,
        HttpEndpoint::Enabled,
        HttpEndpoint::Enabled,
        HttpEndpoint::Disabled,
    ]);
    let hops = prop::option::weighted(0.9, 1..4_u32);
    let calls = prop::option::weighted(0.9, (12..20_u32, prop::sample::select(vec![0, 0, 0, 3_u64])));
    let states = ["running", "running", "stopped", "stopped", "stopping", "terminated"];
    let state = prop::sample::select(states.to_vec());
    let operator = prop::option::weighted(0.1, Just("eks.amazonaws.com".to_owned()));
    (tokens, endpoint, hops, calls, state, operator).prop_map(
        |(http_tokens, http_endpoint, hops, calls, state, operator)| InstanceMetadata {
            instance: Instance { operator, ..instance(state) },
            options: Some(MetadataOptions {
                http_tokens: Some(http_tokens),
                http_endpoint: Some(http_endpoint),
                http_put_response_hop_limit: hops,
            }),
            tokenless_calls: calls.map(|(observed_days, calls)| TokenlessCalls { observed_days, calls }),
        },
    )
}

#[test]
fn generated_instances_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let sample: Vec<InstanceMetadata> =
        (0..1000).map(|_| subjects().new_tree(&mut runner).unwrap().current()).collect();
    let plans = sample.iter().map(|it| Ec2Imdsv2Check.plan(it, &parameters("{}"), NOW));
    let (mut nothing, mut held, mut done) = (0, 0, 0);
    plans.for_each(|plan| match plan {
        Plan::Nothing => nothing += 1,
        Plan::Hold { .. } => held += 1,
        Plan::Do { .. } => done += 1,
    });
    assert!(nothing > 100 && held > 100 && done > 100, "{nothing} right, {held} held, {done} fixed");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), hops in 1..4_u32) {
        let params = parameters(&format!(r#"{{"maxHopLimit":"{hops}"}}"#));
        let finding = Ec2Imdsv2Check.evaluate(&subject, &params, NOW).is_non_compliant();
        prop_assert_eq!(Ec2Imdsv2Check.plan(&subject, &params, NOW) != Plan::Nothing, finding);
    }

    #[test]
    fn the_fix_changes_the_tokens_only_and_undo_restores_them(subject in subjects()) {
        let params = parameters("{}");
        let plan = Ec2Imdsv2Check.plan(&subject, &params, NOW);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan.calls() {
            live = Ec2Imdsv2Check.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(!Ec2Imdsv2Check.evaluate(&live, &params, NOW).is_non_compliant());
        prop_assert_eq!(Ec2Imdsv2Check.plan(&live, &params, NOW), Plan::Nothing);
        let mut only_the_tokens = subject.clone();
        only_the_tokens.options = subject.options.map(|it| MetadataOptions { http_tokens: live.options.unwrap().http_tokens, ..it });
        prop_assert_eq!(&live, &only_the_tokens);
        let weakened = subject.options.unwrap().http_tokens == Some(HttpTokens::Required)
            && live.options.unwrap().http_tokens == Some(HttpTokens::Optional);
        prop_assert!(!weakened);

        let actions = done.clone();
        for action in Ec2Imdsv2Check.undo(&subject, &done).unwrap() {
            live = Ec2Imdsv2Check.expect(live, &action);
        }
        prop_assert_eq!(Ec2Imdsv2Check.footprint(&live, &actions), Ec2Imdsv2Check.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in subjects()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<InstanceMetadata>(), Ok(subject.clone()));
        for action in Ec2Imdsv2Check.plan(&subject, &parameters("{}"), NOW).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Ec2Imdsv2CheckAction>(&text).unwrap(), action);
        }
    }
}
