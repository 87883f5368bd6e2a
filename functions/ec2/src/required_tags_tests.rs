//! What `required-tags` must say and plan: tables of cases, then laws over generated resources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Image, StoredImage, Tags, Work};
use serde_json::json;

use super::*;
use crate::tagged_resource::tests::tagged;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn parse(text: &str) -> Result<RequiredTagsParameters, String> {
    let parsed = RuleParameters::<RequiredTagsParameters>::parse(Some(text));
    parsed.map(|it| it.control).map_err(|error| error.to_string())
}

fn parameters(text: &str) -> RequiredTagsParameters {
    parse(text).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn volume(pairs: &[(&str, &str)]) -> TaggedResource {
    tagged(tags(pairs))
}

fn told(subject: &TaggedResource, params: &str) -> String {
    let verdict = RequiredTags.evaluate(subject, &parameters(params), NOW);
    let annotation = verdict.annotation().map_or_else(String::new, |it| format!(": {it}"));
    format!("{}{annotation}", verdict.compliance_type())
}

/// The plan in words: why it is held, then its steps.
fn plan(subject: &TaggedResource, params: &str) -> Vec<String> {
    let plan = RequiredTags.plan(subject, &parameters(params), NOW);
    let held = if let Plan::Hold { reason, .. } = &plan { vec![format!("held: {reason}")] } else { vec![] };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Call(action) => format!("{} {}", step.level, call_text(action)),
        Work::Person(words) => format!("{} person: {words}", step.level),
    });
    held.into_iter().chain(steps).collect()
}

const OWNER: &str = r#"{"tag1Key":"Owner"}"#;
const MISSING: &str = "NON_COMPLIANT: Tags missing: Owner";

#[test]
fn tags_decide() {
    let env = r#"{"tag1Key":"Env","tag1Value":"prod"}"#;
    let wrong = "NON_COMPLIANT: Tags wrong value: Env=\"production\" (allowed prod)";
    let interface = |standing| TaggedResource { standing, ..volume(&[]) };
    let many =
        r#"{"tag1Key":"A","tag2Key":"B","tag3Key":"C","tag4Key":"D","tag5Key":"E","tag6Key":"F","required":{"G":{}}}"#;
    for (case, subject, params, expected) in [
        ("default key", volume(&[]), "{}", "NON_COMPLIANT: Tags missing: CostCenter"),
        ("default key with a value", volume(&[("CostCenter", "1")]), r#"{"tag1Value":"1,2"}"#, "COMPLIANT"),
        ("required-tags/1", volume(&[("Owner", "")]), OWNER, "NON_COMPLIANT: Tags empty: Owner"),
        (
            "required-tags/1, allowed",
            volume(&[("Owner", "")]),
            r#"{"tag1Key":"Owner","allowEmptyValue":"true"}"#,
            "COMPLIANT",
        ),
        ("required-tags/2", volume(&[("owner", "ada")]), OWNER, MISSING),
        (
            "required-tags/2, any case",
            volume(&[("owner", "ada")]),
            r#"{"tag1Key":"Owner","caseInsensitiveKeys":"true"}"#,
            "COMPLIANT",
        ),
        ("required-tags/3", volume(&[("Env", "production")]), env, wrong),
        ("required-tags/4", volume(&[("Env", "b")]), r#"{"tag1Key":"Env","tag1Value":"a, b ,,"}"#, "COMPLIANT"),
        (
            "required-tags/4, none is any",
            volume(&[("Env", "c")]),
            r#"{"tag1Key":"Env","tag1Value":" , "}"#,
            "COMPLIANT",
        ),
        ("required-tags/5", interface(Standing::RequesterManaged), OWNER, "NOT_APPLICABLE: owned by an AWS service"),
        (
            "requester-managed, not left out",
            interface(Standing::RequesterManaged),
            r#"{"tag1Key":"Owner","skipRequesterManaged":"false"}"#,
            MISSING,
        ),
        ("gone", interface(Standing::Gone("terminated".into())), OWNER, "NOT_APPLICABLE: instance is terminated"),
        (
            "found live",
            TaggedResource { live_tags: Some(tags(&[("Owner", "ada")])), ..volume(&[]) },
            OWNER,
            "COMPLIANT: tags found live",
        ),
        (
            "still wrong live, in another way",
            TaggedResource { live_tags: Some(tags(&[("Owner", "")])), ..volume(&[]) },
            OWNER,
            "NON_COMPLIANT: Tags empty: Owner",
        ),
        (
            "more than six",
            volume(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]),
            many,
            "NON_COMPLIANT: Tags missing: E, F, G",
        ),
    ] {
        assert_eq!(told(&subject, params), expected, "{case}");
    }
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    for (text, expected) in [
        (r#"{"tag2Value":"a"}"#, "ruleParameters: tag2Value needs tag2Key"),
        (r#"{"tag6Value":"a"}"#, "ruleParameters: tag6Value needs tag6Key"),
        (r#"{"tag1Key":"aws:x"}"#, "ruleParameters.tag1Key: expected a tag key that people can write"),
        (r#"{"tag1Key":"rectify:mode"}"#, "ruleParameters.tag1Key: expected a tag key that does not decide about"),
        (
            r#"{"required":"{\"a\":{\"pattern\":\"(\"}}"}"#,
            "ruleParameters.required: expected JSON or `ssm:/rectify/…`: ",
        ),
        (r#"{"required":"ssm:other"}"#, "ruleParameters.required: expected a parameter name below `/rectify/`"),
        (
            r#"{"tag1Key":"Env","tag1Value":"a","required":{"Env":{"values":["b"]}}}"#,
            "ruleParameters: the tag `Env` is required twice, with different values",
        ),
        (r#"{"defaults":{"Owner":"ada"}}"#, "ruleParameters: defaults: the tag `Owner` is not required"),
        (
            r#"{"tag1Value":"1","defaults":{"CostCenter":"2"}}"#,
            "ruleParameters: defaults: `2` is no value that the tag `CostCenter` may have",
        ),
        (r#"{"tag7Key":"a"}"#, "ruleParameters.tag7Key: unknown parameter"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    for text in ["{}", r#"{"tag2Value":" , "}"#, r#"{"required":"ssm:/rectify/t","defaults":{"Owner":"ada"}}"#] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_kept_elsewhere_counts_when_it_was_read_and_is_missed_when_it_was_not() {
    let params = r#"{"tag1Key":"Env","required":"ssm:/rectify/tags","defaults":"ssm:/rectify/values"}"#;
    let stored = |required: Value, defaults: Value| StoredTags {
        required: serde_json::from_value(required).unwrap(),
        defaults: serde_json::from_value(defaults).unwrap(),
    };
    let read = stored(json!({"Owner": {}}), json!({"Owner": "nobody"}));
    let subject = TaggedResource { stored: read.clone(), ..volume(&[("Env", "prod")]) };
    assert_eq!(told(&subject, params), MISSING);
    let create = r#"L1 CreateTags {"Resources":["r-1"],"Tags":[{"Key":"Owner","Value":"nobody"}]}"#;
    assert_eq!(plan(&subject, params), [create]);
    let unread = volume(&[("Env", "prod"), ("Owner", "ada")]);
    assert_eq!(told(&unread, params), "NON_COMPLIANT: Tags not judged: `ssm:/rectify/tags` was not read");
    assert_eq!(plan(&unread, params), ["held: `ssm:/rectify/tags` was not read"]);
    let params = parameters(params);
    assert_eq!(params.check_stored(&read), Ok(()));
    let empty = stored(json!({"Owner": {}}), json!({"Owner": ""}));
    assert!(params.check_stored(&empty).unwrap_err().contains("`` is no value that the tag `Owner` may have"));
    assert!(params.check_stored(&StoredTags::default()).is_err());
}

#[test]
fn only_missing_keys_with_a_default_are_written() {
    let defaults = |more: &str| format!(r#"{{"tag1Key":"Owner","defaults":{{"Owner":"nobody"}}{more}}}"#);
    let create = r#"L1 CreateTags {"Resources":["r-1"],"Tags":[{"Key":"Owner","Value":"nobody"}]}"#;
    let full: Vec<(String, String)> = (0..50).map(|number| (format!("k{number}"), "v".to_owned())).collect();
    let full = tagged(full.into_iter().chain([("aws:x".to_owned(), "v".to_owned())]).collect());
    let mut of_aws = full.clone();
    of_aws.tags.remove("k0");
    let bucket = TaggedResource { key: rectify_compliance::ResourceKey::new("AWS::S3::Bucket", "logs"), ..volume(&[]) };
    let both = r#","tag2Key":"Env","tag2Value":"prod""#;
    let rows: Vec<(&str, TaggedResource, String, Vec<&str>)> = vec![
        ("missing", volume(&[("Name", "a")]), defaults(""), vec![create]),
        ("no default", volume(&[]), OWNER.to_owned(), vec!["L0 person: give r-1 the tag Owner"]),
        ("required-tags/6", full, defaults(""), vec!["held: r-1 has 50 tags; 1 more would be above 50", create]),
        ("tags of AWS do not count", of_aws, defaults(""), vec![create]),
        (
            "required-tags/7",
            volume(&[("Env", "prodution")]),
            defaults(both),
            vec![create, "L0 person: give the tag Env of r-1 another value: none is ever overwritten"],
        ),
        (
            "empty",
            volume(&[("Owner", "")]),
            defaults(""),
            vec!["L0 person: give the tag Owner of r-1 another value: none is ever overwritten"],
        ),
        (
            "protected, in whatever case",
            volume(&[]),
            defaults(r#","protectedKeys":"Team, owner""#),
            vec!["held: the tag `Owner` is protected", create],
        ),
        (
            "lookalike",
            volume(&[("owner", "ada")]),
            defaults(""),
            vec!["held: the tag `owner` differs from `Owner` in letter case alone", create],
        ),
        ("required-tags/8", bucket, defaults(""), vec!["L0 person: tag logs: Tags missing: Owner"]),
        ("right", volume(&[("Owner", "ada")]), defaults(""), vec![]),
    ];
    for (case, subject, params, expected) in rows {
        assert_eq!(plan(&subject, &params), expected, "{case}");
    }
    let wrong = RequiredTags.plan(&volume(&[("Env", "prodution")]), &parameters(&defaults(both)), NOW);
    assert!(wrong.obstacle(true).is_some(), "what a machine cannot finish it does not begin");
}

#[test]
fn undo_removes_what_was_written_with_its_value_and_nothing_that_was_there() {
    let tag = Tag { key: "Owner".to_owned(), value: "nobody".to_owned() };
    let done = [RequiredTagsAction::CreateTags { resources: vec!["r-1".to_owned()], tags: vec![tag] }];
    let undo = RequiredTags.undo(&volume(&[]), &done).unwrap();
    assert_eq!(
        undo.iter().map(call_text).collect::<Vec<_>>(),
        [r#"DeleteTags {"Resources":["r-1"],"Tags":[{"Key":"Owner","Value":"nobody"}]}"#]
    );
    let error = RequiredTags.undo(&volume(&[("Owner", "ada")]), &done).unwrap_err();
    assert!(error.to_string().contains("the tag `Owner` was there before"), "{error}");
}

#[test]
fn live_tags_are_read_only_before_a_finding_about_ec2() {
    let params = parameters(OWNER);
    let none = StoredTags::default();
    assert!(!params.is_settled(&volume(&[]), &none));
    assert!(params.is_settled(&volume(&[("Owner", "ada")]), &none));
    let bucket = TaggedResource { key: rectify_compliance::ResourceKey::new("AWS::S3::Bucket", "logs"), ..volume(&[]) };
    assert!(params.is_settled(&bucket, &none));
    let managed = TaggedResource { standing: Standing::RequesterManaged, ..volume(&[]) };
    assert!(params.is_settled(&managed, &none));
}

fn resources() -> impl Strategy<Value = TaggedResource> {
    let key = || prop::sample::select(vec!["Owner", "owner", "Env", "Cost", "Name", "aws:x"]);
    let value = || prop::sample::select(vec!["", "ada", "prod", "production", "1234", "12345"]);
    let kind = prop::sample::select(vec!["AWS::EC2::Volume", "AWS::EC2::Volume", "AWS::EC2::VPC", "AWS::S3::Bucket"]);
    let crowd = prop::sample::select(vec![0_usize, 0, 0, 46, 47]);
    (prop::collection::btree_map(key(), value(), 0..4), kind, crowd).prop_map(|(pairs, kind, crowd)| {
        let mut tags: Tags = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        tags.extend((0..crowd).map(|number| (format!("k{number}"), "v".to_owned())));
        TaggedResource { key: rectify_compliance::ResourceKey::new(kind, "r-1"), ..tagged(tags) }
    })
}

fn parameter_texts() -> impl Strategy<Value = RequiredTagsParameters> {
    prop_oneof![
        3 => Just(r#"{"tag1Key":"Owner","defaults":{"Owner":"nobody"}}"#),
        2 => Just(r#"{"tag1Key":"Owner","tag2Key":"Env","tag2Value":"prod","defaults":{"Owner":"nobody","Env":"prod"}}"#),
        1 => Just(r#"{"tag1Key":"Owner","caseInsensitiveKeys":"true","defaults":{"owner":"nobody"}}"#),
        1 => Just(r#"{"tag1Key":"Owner","required":{"Cost":{"pattern":"[0-9]{4}"}},"defaults":{"Owner":"a","Cost":"0000"}}"#),
        1 => Just(r#"{"tag1Key":"Owner","protectedKeys":"Owner","defaults":{"Owner":"nobody"}}"#),
        1 => Just(OWNER),
    ]
    .prop_map(parameters)
}

#[test]
fn generated_resources_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut nothing, mut held, mut done) = (0, 0, 0);
    for _ in 0..1000 {
        let subject = resources().new_tree(&mut runner).unwrap().current();
        let params = parameter_texts().new_tree(&mut runner).unwrap().current();
        match RequiredTags.plan(&subject, &params, NOW) {
            Plan::Nothing => nothing += 1,
            plan if plan.obstacle(false).is_some() => held += 1,
            _ => done += 1,
        }
    }
    assert!(nothing > 50 && held > 100 && done > 100, "{nothing} right, {held} held, {done} fixed");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in resources(), params in parameter_texts()) {
        let finding = RequiredTags.evaluate(&subject, &params, NOW).is_non_compliant();
        prop_assert_eq!(RequiredTags.plan(&subject, &params, NOW) != Plan::Nothing, finding);
    }

    #[test]
    fn the_fix_only_adds_and_undo_takes_only_what_it_added(subject in resources(), params in parameter_texts()) {
        let plan = RequiredTags.plan(&subject, &params, NOW);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan.calls() {
            live = RequiredTags.expect(live, action);
            done.push(action.clone());
        }
        for (key, value) in &subject.tags {
            prop_assert_eq!(live.tags.get(key), Some(value), "no value is overwritten");
        }
        prop_assert_eq!(&TaggedResource { tags: subject.tags.clone(), ..live.clone() }, &subject);
        if plan.obstacle(false).is_none() {
            prop_assert!(!RequiredTags.evaluate(&live, &params, NOW).is_non_compliant());
            prop_assert_eq!(RequiredTags.plan(&live, &params, NOW), Plan::Nothing);
            prop_assert!(live.tags.keys().filter(|key| !key.starts_with("aws:")).count() <= 50);
        }
        let actions = done.clone();
        let undo = RequiredTags.undo(&subject, &done);
        for RequiredTagsUndo::DeleteTags { tags, .. } in undo.unwrap() {
            live.tags.retain(|key, value| !tags.iter().any(|tag| tag.key == *key && tag.value == *value));
        }
        prop_assert_eq!(RequiredTags.footprint(&live, &actions), RequiredTags.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    /// Exemptions and modes are read from tags of this prefix: the fix of a tag must not decide about fixes.
    #[test]
    fn no_tag_that_decides_about_rectify_is_ever_required_or_written(
        key in "[Rr][Ee]ctify:[a-z-]{0,12}",
        member in prop::sample::select(vec!["tag1Key", "tag6Key", "required", "defaults"]),
    ) {
        let value = if member.starts_with("tag") { json!(key) } else { json!({key.as_str(): {}}) };
        let value = if member == "defaults" { json!({key.as_str(): "x"}) } else { value };
        let error = parse(&json!({member: value}).to_string()).unwrap_err();
        prop_assert!(error.to_string().contains("does not decide about Rectify itself"), "{}", error);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in resources(), params in parameter_texts()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<TaggedResource>(), Ok(subject.clone()));
        prop_assert_eq!(subject.tags(), &subject.tags);
        for action in RequiredTags.plan(&subject, &params, NOW).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<RequiredTagsAction>(&text).unwrap(), action);
        }
    }

    #[test]
    fn parameters_read_back_as_they_were_written(params in parameter_texts()) {
        let text = serde_json::to_string(&params).unwrap();
        prop_assert_eq!(parse(&text), Ok(params));
    }
}
