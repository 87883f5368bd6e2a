//! Verdicts and plans of `ec2-imdsv2-check`, and properties that hold for every instance.
use proptest::prelude::*;
use rectify_compliance::Resource;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_testing::{Case, Cases, Laws, NOW};

use super::*;
use crate::resources::instance::Instance;
use crate::resources::instance::tests::{instance, item_of};

fn options(http_tokens: HttpTokens, hops: u32) -> MetadataOptions {
    MetadataOptions {
        http_tokens: Some(http_tokens),
        http_endpoint: Some(HttpEndpoint::Enabled),
        http_put_response_hop_limit: Some(hops),
    }
}

/// A running instance with these options and no calls without a token.
fn subject(http_tokens: HttpTokens, hops: u32) -> InstanceMetadata {
    InstanceMetadata {
        instance: instance("running"),
        options: Some(options(http_tokens, hops)),
        tokenless_calls: Some(TokenlessCalls { observed_days: 14, calls: 0 }),
    }
}

fn case(name: &str, subject: InstanceMetadata) -> Case<'_, Ec2Imdsv2Check> {
    Cases::of(&Ec2Imdsv2Check, subject).case(name, |_| ())
}

const REQUIRE: &str = r#"L2 ModifyInstanceMetadataOptions {"HttpTokens":"required","InstanceId":"i-1"}"#;
const ALLOWS: &str = "i-1 allows IMDSv1 (httpTokens=optional)";
const ONE_HOP: &str = r#"{"maxHopLimit":"1"}"#;

fn disabled() -> Verdict {
    Verdict::Compliant(Some("metadata endpoint disabled".into()))
}

#[test]
fn tokens_determine_the_verdict() {
    let cases = Cases::of(&Ec2Imdsv2Check, subject(HttpTokens::Optional, 1));
    let changed = |name, change: fn(&mut InstanceMetadata)| cases.case(name, change);
    changed("ec2-imdsv2-check/1", |_| ()).non_compliant(ALLOWS).planned(&[REQUIRE]);
    case("ec2-imdsv2-check/2", subject(HttpTokens::Required, 1)).compliant();
    case("required, any hop limit", subject(HttpTokens::Required, 64)).compliant();
    changed("ec2-imdsv2-check/3", |it| it.options.as_mut().unwrap().http_endpoint = Some(HttpEndpoint::Disabled))
        .is(&disabled());
    changed("ec2-imdsv2-check/9", |it| {
        let http_endpoint = Some(HttpEndpoint::Disabled);
        it.options = Some(MetadataOptions { http_endpoint, ..MetadataOptions::default() });
    })
    .is(&disabled());
    changed("no tokens stated", |it| it.options.as_mut().unwrap().http_tokens = None)
        .non_compliant("i-1 does not state whether tokens are required")
        .planned(&["blocked: the metadata options were not read", REQUIRE]);
    changed("no options", |it| it.options = None)
        .non_compliant("i-1 reports no metadata options")
        .planned(&["blocked: the metadata options were not read", REQUIRE]);
    changed("in an Auto Scaling group", |it| {
        drop(it.instance.tags.insert("aws:autoscaling:groupName".into(), "web".into()));
    })
    .non_compliant(&format!("{ALLOWS}; launched by Auto Scaling group web"));
    changed("ec2-imdsv2-check/5", |it| it.instance = instance("terminated")).not_applicable("instance is terminated");
    changed("shutting down", |it| it.instance = instance("shutting-down")).not_applicable("instance is shutting-down");
    changed("stopped", |it| it.instance = instance("stopped")).non_compliant(ALLOWS).planned(&[REQUIRE]);
    changed("no state", |it| it.instance.state = None)
        .non_compliant(ALLOWS)
        .planned(&["blocked: the instance is in state `unknown`; expected running or stopped", REQUIRE]);
}

#[test]
fn hop_limit_is_checked_if_configured() {
    let far = "lets metadata travel 2 hops; expected at most 1";
    let lower = format!("L2 manual: lower the response hop limit of i-1, which {far}");
    case("ec2-imdsv2-check/8", subject(HttpTokens::Required, 2))
        .with(ONE_HOP)
        .non_compliant(&format!("i-1 {far}"))
        .planned(&[&lower]);
    case("as many hops as allowed", subject(HttpTokens::Required, 2)).with(r#"{"maxHopLimit":"2"}"#).compliant();
    case("tokens before hops", subject(HttpTokens::Optional, 2))
        .with(ONE_HOP)
        .non_compliant(ALLOWS)
        .planned(&[REQUIRE, &lower]);
    let mut unlimited = subject(HttpTokens::Required, 1);
    unlimited.options.as_mut().unwrap().http_put_response_hop_limit = None;
    case("no hop limit stated", unlimited.clone())
        .with(r#"{"maxHopLimit":"64"}"#)
        .non_compliant("i-1 reports no hop limit; expected at most 64");
    case("no hop limit stated, none limited", unlimited).compliant();
}

/// A case for an item, completed by a live read.
fn recorded(name: &str, item: Value, live: Option<MetadataOptions>) -> Case<'_, Ec2Imdsv2Check> {
    let recorded = RecordedMetadata::from_item(&item_of(item)).unwrap();
    case(name, Ec2Imdsv2Check.subject(recorded, live))
}

fn is_sufficient(item: Value) -> (bool, bool) {
    let recorded = RecordedMetadata::from_item(&item_of(item)).unwrap();
    (recorded.is_sufficient(false), recorded.is_sufficient(true))
}

#[test]
fn incomplete_item_is_completed_by_a_live_read() {
    let running = || json!({"state": {"name": "running"}});
    assert_eq!(is_sufficient(running()), (false, false));
    recorded("ec2-imdsv2-check/4", running(), Some(options(HttpTokens::Required, 1))).compliant();
    recorded("ec2-imdsv2-check/4", running(), Some(options(HttpTokens::Optional, 1))).non_compliant(ALLOWS);
    let new = json!({"state": {"name": "running"}, "metadataOptions": {"httpTokens": "required"}});
    assert_eq!(is_sufficient(new), (true, false));
    assert_eq!(is_sufficient(json!({"state": {"name": "terminated"}})), (true, true));
}

/// `ec2-imdsv2-check/9`, `ec2-imdsv2-check/10`
#[test]
fn each_option_of_an_item_counts_separately() {
    let item = |stated: &Value| json!({"state": {"name": "running"}, "metadataOptions": stated});
    for (stated, with_hop_limit) in [
        (json!({"httpEndpoint": "disabled"}), true),
        (json!({"httpEndpoint": "disabled", "httpTokens": null}), true),
        (json!({"httpTokens": "optional", "httpEndpoint": "enabled"}), false),
        (json!({"httpTokens": "required", "httpEndpoint": null}), false),
        (json!({"httpTokens": "required", "httpPutResponseHopLimit": 1}), true),
    ] {
        assert_eq!(is_sufficient(item(&stated)), (true, with_hop_limit), "{stated}");
    }
    for stated in [
        json!({"httpEndpoint": "enabled", "httpTokens": null}),
        json!({"httpEndpoint": "enabled"}),
        json!({}),
        json!({"httpPutResponseHopLimit": 1}),
        json!({"httpTokens": "optional"}),
    ] {
        let (item, name) = (item(&stated), stated.to_string());
        assert_eq!(is_sufficient(item.clone()), (false, false), "{name}");
        recorded(&name, item.clone(), Some(options(HttpTokens::Required, 1))).compliant();
        recorded(&name, item.clone(), Some(options(HttpTokens::Optional, 1))).non_compliant(ALLOWS);
        let unread = Ec2Imdsv2Check.subject(RecordedMetadata::from_item(&item_of(item)).unwrap(), None);
        assert!(
            Ec2Imdsv2Check.evaluate(&unread, &Ec2Imdsv2CheckParameters::default(), NOW).is_non_compliant(),
            "{name}"
        );
    }
    let alone = json!({"metadataOptions": {"httpEndpoint": "disabled"}});
    recorded("only disabled stated", alone, None).is(&disabled());
}

#[test]
fn calls_without_a_token_block_the_fix() {
    let seen = |name, params: &str, calls, held: &[&str]| {
        let subject = InstanceMetadata { tokenless_calls: calls, ..subject(HttpTokens::Optional, 1) };
        case(name, subject).with(params).non_compliant(ALLOWS).planned(&[held, &[REQUIRE]].concat());
    };
    let calls = |observed_days, calls| Some(TokenlessCalls { observed_days, calls });
    let none = "blocked: MetadataNoToken has no datapoints in 14 days";
    seen("ec2-imdsv2-check/6", "{}", calls(0, 0), &[none]);
    let some = "blocked: MetadataNoToken counts 3 calls without a token in 14 days";
    seen("ec2-imdsv2-check/7", "{}", calls(14, 3), &[some]);
    seen("too short", "{}", calls(3, 0), &["blocked: MetadataNoToken reaches back 3 of 14 days"]);
    seen("long enough", r#"{"observationDays":"3"}"#, calls(3, 0), &[]);
    seen("not read", "{}", None, &["blocked: the calls without a token were not read"]);
}

#[test]
fn transitional_state_or_managing_service_blocks_the_fix() {
    let held = |reason: &str, instance| {
        case(reason, InstanceMetadata { instance, ..subject(HttpTokens::Optional, 1) })
            .non_compliant(ALLOWS)
            .planned(&[&format!("blocked: {reason}"), REQUIRE]);
    };
    held("the instance is in state `stopping`; expected running or stopped", instance("stopping"));
    let operator = Some("eks.amazonaws.com".to_owned());
    held("the instance is managed by `eks.amazonaws.com`", Instance { operator, ..instance("running") });
}

#[test]
fn plan_with_a_manual_step_is_not_applied() {
    let params =
        Ec2Imdsv2CheckParameters { max_hop_limit: Some(Bounded::of(1)), ..Ec2Imdsv2CheckParameters::default() };
    let plan = Ec2Imdsv2Check.plan(&subject(HttpTokens::Optional, 2), &params, NOW);
    assert!(plan.blocker(true).is_some(), "{plan:?}");
}

#[test]
fn undo_allows_calls_without_a_token_again() {
    let before = subject(HttpTokens::Optional, 3);
    let plan = Ec2Imdsv2Check.plan(&before, &Ec2Imdsv2CheckParameters::default(), NOW);
    let done: Vec<_> = plan.calls().into_iter().cloned().collect();
    let undo = Ec2Imdsv2Check.undo(&before, &done).unwrap();
    let texts: Vec<String> = undo.iter().map(call_text).collect();
    assert_eq!(texts, [r#"ModifyInstanceMetadataOptions {"HttpTokens":"optional","InstanceId":"i-1"}"#]);
    let unread = InstanceMetadata { options: None, ..before };
    assert!(Ec2Imdsv2Check.undo(&unread, &done).unwrap_err().to_string().contains("does not contain the options"));
}

#[test]
fn parameters_out_of_range_are_rejected() {
    for text in [r#"{"maxHopLimit":"65"}"#, r#"{"maxHopLimit":"0"}"#, r#"{"observationDays":"16"}"#] {
        assert!(RuleParameters::<Ec2Imdsv2CheckParameters>::parse(Some(text)).is_err(), "{text}");
    }
}

fn subjects() -> impl Strategy<Value = InstanceMetadata> {
    use HttpEndpoint::{Disabled, Enabled};
    use HttpTokens::{Optional, Required};
    let tokens = prop::sample::select(vec![Optional, Optional, Optional, Required]);
    let endpoint = prop::sample::select(vec![Enabled, Enabled, Enabled, Disabled]);
    let hops = prop::option::weighted(0.9, 1..4_u32);
    let calls = prop::option::weighted(0.9, (12..20_u32, prop::sample::select(vec![0, 0, 0, 3_u64])));
    let state = prop::sample::select(vec!["running", "running", "stopped", "stopped", "stopping", "terminated"]);
    let operator = prop::option::weighted(0.1, Just("eks.amazonaws.com".to_owned()));
    (tokens, endpoint, hops, calls, state, operator).prop_map(|(tokens, endpoint, hops, calls, state, operator)| {
        InstanceMetadata {
            instance: Instance { operator, ..instance(state) },
            options: Some(MetadataOptions {
                http_tokens: Some(tokens),
                http_endpoint: Some(endpoint),
                http_put_response_hop_limit: hops,
            }),
            tokenless_calls: calls.map(|(observed_days, calls)| TokenlessCalls { observed_days, calls }),
        }
    })
}

fn requires_tokens(it: &InstanceMetadata) -> bool {
    it.options.unwrap().http_tokens == Some(HttpTokens::Required)
}

#[test]
fn laws() {
    let params = prop::option::of(1..4_u32).prop_map(|max| Ec2Imdsv2CheckParameters {
        max_hop_limit: max.map(Bounded::of),
        ..Ec2Imdsv2CheckParameters::default()
    });
    Laws::of(&Ec2Imdsv2Check, &["/options/httpTokens"], Remediation::predict)
        .never(|before, after| requires_tokens(before) && !requires_tokens(after))
        .restores_full_state()
        .hold((subjects(), params));
}
