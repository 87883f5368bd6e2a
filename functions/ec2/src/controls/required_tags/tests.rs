//! Verdicts and plans of `required-tags`, and properties that hold for every resource.
use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{ResourceKey, ResourceState, Tags};
use rectify_testing::{Case, Cases, Laws, NOW};
use serde_json::json;

use super::*;
use crate::resources::tagged_resource::tests::tagged;

fn parse(text: &str) -> Result<RequiredTagsParameters, String> {
    let parsed = RuleParameters::<RequiredTagsParameters>::parse(Some(text));
    parsed.map(|it| it.control).map_err(|error| error.to_string())
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn volume(pairs: &[(&str, &str)]) -> TaggedResource {
    tagged(tags(pairs))
}

fn bucket() -> TaggedResource {
    TaggedResource { key: ResourceKey::new("AWS::S3::Bucket", "logs"), ..volume(&[]) }
}

fn case<'a>(name: &'a str, subject: TaggedResource, params: &str) -> Case<'a, RequiredTags> {
    Cases::of(&RequiredTags, subject).case(name, |_| ()).with(params)
}

const OWNER: &str = r#"{"tag1Key":"Owner"}"#;
const MISSING: &str = "Tags missing: Owner";
const EMPTY: &str = "Tags empty: Owner";
const CREATE: &str = r#"L1 CreateTags {"Resources":["r-1"],"Tags":[{"Key":"Owner","Value":"unassigned"}]}"#;

/// Parameters: `Owner` is required, with the default `unassigned`, and more.
fn owner_default(more: &str) -> String {
    format!(r#"{{"tag1Key":"Owner","defaults":{{"Owner":"unassigned"}}{more}}}"#)
}

#[test]
fn tags_determine_the_verdict() {
    case("default key", volume(&[]), "{}").non_compliant("Tags missing: CostCenter");
    case("default key with a value", volume(&[("CostCenter", "1")]), r#"{"tag1Value":"1,2"}"#).compliant();
    case("required-tags/1", volume(&[("Owner", "")]), OWNER).non_compliant(EMPTY);
    let empty_allowed = r#"{"tag1Key":"Owner","allowEmptyValue":"true"}"#;
    case("required-tags/1, allowed", volume(&[("Owner", "")]), empty_allowed).compliant();
    case("required-tags/2", volume(&[("owner", "ada")]), OWNER).non_compliant(MISSING);
    let any_case = r#"{"tag1Key":"Owner","caseInsensitiveKeys":"true"}"#;
    case("required-tags/2, any case", volume(&[("owner", "ada")]), any_case).compliant();
    case("required-tags/3", volume(&[("Env", "production")]), r#"{"tag1Key":"Env","tag1Value":"prod"}"#)
        .non_compliant("Tags wrong value: Env=\"production\" (allowed prod)");
    case("required-tags/4", volume(&[("Env", "b")]), r#"{"tag1Key":"Env","tag1Value":"a, b ,,"}"#).compliant();
    let any_value = r#"{"tag1Key":"Env","tag1Value":" , "}"#;
    case("required-tags/4, an empty list is any value", volume(&[("Env", "c")]), any_value).compliant();
    let many =
        r#"{"tag1Key":"A","tag2Key":"B","tag3Key":"C","tag4Key":"D","tag5Key":"E","tag6Key":"F","required":{"G":{}}}"#;
    case("more than six", volume(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]), many)
        .non_compliant("Tags missing: E, F, G");
}

#[test]
fn service_ownership_and_live_tags_count_too() {
    let cases = Cases::of(&RequiredTags, volume(&[]));
    let case = |name, change: fn(&mut TaggedResource)| cases.case(name, change).with(OWNER);
    case("required-tags/5", |it| it.standing = TaggingSupport::RequesterManaged)
        .not_applicable("owned by an AWS service");
    case("requester-managed, not skipped", |it| it.standing = TaggingSupport::RequesterManaged)
        .with(r#"{"tag1Key":"Owner","skipRequesterManaged":"false"}"#)
        .non_compliant(MISSING);
    case("gone", |it| it.standing = TaggingSupport::Gone("terminated".into())).not_applicable("instance is terminated");
    case("found live", |it| it.live_tags = Some(tags(&[("Owner", "ada")])))
        .is(&Verdict::Compliant(Some("tags found live".into())));
    case("another violation live", |it| it.live_tags = Some(tags(&[("Owner", "")]))).non_compliant(EMPTY);
}

#[test]
fn contradictory_parameters_are_rejected() {
    for (text, expected) in [
        (r#"{"tag2Value":"a"}"#, "ruleParameters: tag2Value needs tag2Key"),
        (r#"{"tag6Value":"a"}"#, "ruleParameters: tag6Value needs tag6Key"),
        (r#"{"tag1Key":"aws:x"}"#, "ruleParameters.tag1Key: expected a tag key without the reserved prefix `aws:`"),
        (r#"{"tag1Key":"rectify:mode"}"#, "ruleParameters.tag1Key: expected a tag key without Rectify's own prefix"),
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
            "ruleParameters: defaults: `2` is not an allowed value of the tag `CostCenter`",
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
fn stored_values_count_once_read_and_are_an_error_if_not() {
    let params = r#"{"tag1Key":"Env","required":"ssm:/rectify/tags","defaults":"ssm:/rectify/values"}"#;
    let stored = |required: Value, defaults: Value| StoredTags {
        required: serde_json::from_value(required).unwrap(),
        defaults: serde_json::from_value(defaults).unwrap(),
    };
    let read = stored(json!({"Owner": {}}), json!({"Owner": "unassigned"}));
    let subject = TaggedResource { stored: read.clone(), ..volume(&[("Env", "prod")]) };
    case("read", subject, params).non_compliant(MISSING).planned(&[CREATE]);
    case("not read", volume(&[("Env", "prod"), ("Owner", "ada")]), params)
        .non_compliant("Tags not evaluated: `ssm:/rectify/tags` was not read")
        .planned(&["blocked: `ssm:/rectify/tags` was not read"]);
    let params = parse(params).unwrap();
    assert_eq!(params.check_stored(&read), Ok(()));
    let empty = stored(json!({"Owner": {}}), json!({"Owner": ""}));
    assert!(params.check_stored(&empty).unwrap_err().contains("`` is not an allowed value of the tag `Owner`"));
    assert!(params.check_stored(&StoredTags::default()).is_err());
}

/// The maximum number of user tags, and one `aws:` tag.
fn full() -> TaggedResource {
    let own = (0..50).map(|number| (format!("k{number}"), "v".to_owned()));
    tagged(own.chain([("aws:x".to_owned(), "v".to_owned())]).collect())
}

#[test]
fn only_missing_keys_with_a_default_are_written() {
    let missing = |name, subject, params: &str, steps: &[&str]| {
        case(name, subject, params).non_compliant(MISSING).planned(steps);
    };
    missing("a default", volume(&[("Name", "a")]), &owner_default(""), &[CREATE]);
    missing("no default", volume(&[]), OWNER, &["L0 manual: add the tag Owner to r-1"]);
    let too_many = "blocked: r-1 has 50 tags; 1 more would exceed 50";
    missing("required-tags/6", full(), &owner_default(""), &[too_many, CREATE]);
    let mut with_aws_tag = full();
    with_aws_tag.tags.remove("k0");
    missing("aws: tags do not count", with_aws_tag, &owner_default(""), &[CREATE]);
    let protected = owner_default(r#","protectedKeys":"Team, owner""#);
    let held = "blocked: the tag `Owner` is protected";
    missing("protected, in any case", volume(&[]), &protected, &[held, CREATE]);
    let held = "blocked: the tag `owner` differs from `Owner` only in case";
    missing("lookalike", volume(&[("owner", "ada")]), &owner_default(""), &[held, CREATE]);
    missing("required-tags/8", bucket(), &owner_default(""), &["L0 manual: tag logs: Tags missing: Owner"]);
    case("right", volume(&[("Owner", "ada")]), &owner_default("")).compliant();
}

#[test]
fn existing_value_is_never_overwritten() {
    let by_hand = |key: &str| {
        format!("L0 manual: change the value of the tag {key} on r-1: existing values are never overwritten")
    };
    case("empty", volume(&[("Owner", "")]), &owner_default("")).non_compliant(EMPTY).planned(&[&by_hand("Owner")]);
    let both = owner_default(r#","tag2Key":"Env","tag2Value":"prod""#);
    let wrong = || volume(&[("Env", "prodution")]);
    case("required-tags/7", wrong(), &both)
        .non_compliant("Tags missing: Owner; wrong value: Env=\"prodution\" (allowed prod)")
        .planned(&[CREATE, &by_hand("Env")]);
    let plan = RequiredTags.plan(&wrong(), &parse(&both).unwrap(), NOW);
    assert!(plan.blocker(true).is_some(), "a plan with a manual step is not applied");
}

#[test]
fn undo_deletes_only_tags_that_the_fix_created() {
    let tag = Tag { key: "Owner".to_owned(), value: "unassigned".to_owned() };
    let done = [RequiredTagsAction::CreateTags { resources: vec!["r-1".to_owned()], tags: vec![tag] }];
    let undo = RequiredTags.undo(&volume(&[]), &done).unwrap();
    assert_eq!(
        undo.iter().map(call_text).collect::<Vec<_>>(),
        [r#"DeleteTags {"Resources":["r-1"],"Tags":[{"Key":"Owner","Value":"unassigned"}]}"#]
    );
    let error = RequiredTags.undo(&volume(&[("Owner", "ada")]), &done).unwrap_err();
    assert!(error.to_string().contains("the tag `Owner` was there before"), "{error}");
}

#[test]
fn live_tags_are_read_only_before_an_ec2_finding() {
    let params = parse(OWNER).unwrap();
    let none = StoredTags::default();
    assert!(!params.is_item_sufficient(&volume(&[]), &none));
    assert!(params.is_item_sufficient(&volume(&[("Owner", "ada")]), &none));
    assert!(params.is_item_sufficient(&bucket(), &none));
    let managed = TaggedResource { standing: TaggingSupport::RequesterManaged, ..volume(&[]) };
    assert!(params.is_item_sufficient(&managed, &none));
}

fn resources() -> impl Strategy<Value = TaggedResource> {
    let key = || prop::sample::select(vec!["Owner", "owner", "Env", "Cost", "Name", "aws:x"]);
    let value = || prop::sample::select(vec!["", "ada", "prod", "production", "1234", "12345"]);
    let kind = prop::sample::select(vec!["AWS::EC2::Volume", "AWS::EC2::Volume", "AWS::EC2::VPC", "AWS::S3::Bucket"]);
    let extra = prop::sample::select(vec![0_usize, 0, 0, 46, 47]);
    (prop::collection::btree_map(key(), value(), 0..4), kind, extra).prop_map(|(pairs, kind, extra)| {
        let mut tags: Tags = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        tags.extend((0..extra).map(|number| (format!("k{number}"), "v".to_owned())));
        TaggedResource { key: ResourceKey::new(kind, "r-1"), ..tagged(tags) }
    })
}

const PARAMETERS: [(u32, &str); 6] = [
    (3, r#"{"tag1Key":"Owner","defaults":{"Owner":"unassigned"}}"#),
    (2, r#"{"tag1Key":"Owner","tag2Key":"Env","tag2Value":"prod","defaults":{"Owner":"unassigned","Env":"prod"}}"#),
    (1, r#"{"tag1Key":"Owner","caseInsensitiveKeys":"true","defaults":{"owner":"unassigned"}}"#),
    (1, r#"{"tag1Key":"Owner","required":{"Cost":{"pattern":"[0-9]{4}"}},"defaults":{"Owner":"a","Cost":"0000"}}"#),
    (1, r#"{"tag1Key":"Owner","protectedKeys":"Owner","defaults":{"Owner":"unassigned"}}"#),
    (1, OWNER),
];

fn parameters() -> impl Strategy<Value = RequiredTagsParameters> {
    let weighted = PARAMETERS.map(|(weight, text)| (weight, Just(parse(text).unwrap())));
    prop::strategy::Union::new_weighted(weighted.to_vec())
}

fn deleted(_: &RequiredTags, mut live: TaggedResource, undo: &RequiredTagsUndo) -> TaggedResource {
    let RequiredTagsUndo::DeleteTags { tags, .. } = undo;
    live.tags.retain(|key, value| !tags.iter().any(|tag| tag.key == *key && tag.value == *value));
    live
}

#[test]
fn laws() {
    Laws::of(&RequiredTags, &["/tags"], deleted)
        .never(|before, after| before.tags.iter().any(|(key, value)| after.tags.get(key) != Some(value)))
        .restores_full_state()
        .hold((resources(), parameters()));
}

#[test]
fn parameters_survive_a_round_trip() {
    for (_, text) in PARAMETERS {
        let params = parse(text).unwrap();
        assert_eq!(parse(&serde_json::to_string(&params).unwrap()), Ok(params), "{text}");
    }
}

proptest! {
    #[test]
    fn plan_never_exceeds_the_tag_quota(subject in resources(), params in parameters()) {
        prop_assert_eq!(subject.identity().tags, &subject.tags);
        let plan = RequiredTags.plan(&subject, &params, NOW);
        if plan.blocker(false).is_none() {
            let live = plan.calls().into_iter().fold(subject, |live, action| RequiredTags.predict(live, action));
            prop_assert!(live.tags.keys().filter(|key| !key.starts_with("aws:")).count() <= 50);
        }
    }

    /// Exemptions and modes are read from tags with this prefix: a remediation must never write one.
    #[test]
    fn rectify_tags_are_never_required_or_written(
        key in "[Rr][Ee]ctify:[a-z-]{0,12}",
        member in prop::sample::select(vec!["tag1Key", "tag6Key", "required", "defaults"]),
    ) {
        let value = if member.starts_with("tag") { json!(key) } else { json!({key.as_str(): {}}) };
        let value = if member == "defaults" { json!({key.as_str(): "x"}) } else { value };
        let error = parse(&json!({member: value}).to_string()).unwrap_err();
        prop_assert!(error.to_string().contains("without Rectify's own prefix"), "{}", error);
    }
}
