#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, ConfigurationItem, Region, Resource};

use super::*;
use crate::trail_key::tests::{KEY, TRAIL, arn, candidate, key, trail};

const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/2";
const FOREIGN: &str = "arn:aws:kms:eu-west-1:444455556666:key/3";

pub(super) fn parameters(text: &str) -> TrailEncryptionParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

/// With a key to give.
pub(super) fn giving() -> TrailEncryptionParameters {
    TrailEncryptionParameters { remediation_key_arn: Some(arn(KEY)), ..TrailEncryptionParameters::default() }
}

pub(super) fn judge(subject: &KeyedTrail, params: &TrailEncryptionParameters) -> Verdict {
    CloudTrailEncryptionEnabled.evaluate(subject, params, Timestamp::UNIX_EPOCH)
}

pub(super) fn plan(subject: &KeyedTrail, params: &TrailEncryptionParameters) -> Plan<Action> {
    CloudTrailEncryptionEnabled.plan(subject, params, Timestamp::UNIX_EPOCH)
}

fn keys(answer: Option<KeyAnswer>, allowed: &[&str]) -> Keys {
    Keys { current: answer, allowed: allowed.iter().map(|it| (*it).to_owned()).collect() }
}

fn keyed(name: &str, answer: KeyAnswer, allowed: &[&str]) -> KeyedTrail {
    KeyedTrail { trail: trail(Some(name)), keys: Some(keys(Some(answer), allowed)), candidate: None }
}

/// A trail without a key, with the one that it would be given.
fn keyless() -> KeyedTrail {
    let candidate = Some(candidate(key(KEY, "Enabled")));
    KeyedTrail { trail: trail(None), keys: Some(keys(None, &[])), candidate }
}

fn update(key: &str) -> Action {
    Action::UpdateTrail { name: TRAIL.into(), kms_key_id: key.into() }
}

fn recorded(arn: &str, home_region: &str, key: &Value) -> RecordedTrail {
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": "main",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {"trailARN": arn, "homeRegion": home_region, "logFileValidationEnabled": true, "kmsKeyId": key}
    }));
    RecordedTrail::from_item(&item.unwrap()).unwrap()
}

#[test]
fn a_trail_needs_a_key_that_is_there_enabled_and_allowed() {
    let none = Verdict::non_compliant("Trail main is not KMS encrypted");
    let default = TrailEncryptionParameters::default();
    let (only_one, any_state) =
        (parameters(r#"{"kmsKeyArns": "alias/logs"}"#), parameters(r#"{"checkKeyState": "false"}"#));
    let found = |text: &str| Verdict::non_compliant(format!("Trail main: {text}"));
    let unread = KeyedTrail { trail: trail(Some(KEY)), keys: None, candidate: None };
    let unknown =
        Verdict::Compliant(Some(format!("Trail main: key state unknown: {FOREIGN} is of another account").into()));
    for (case, subject, params, expected) in [
        ("cloud-trail-encryption-enabled/1", keyless(), &default, none.clone()),
        ("cloud-trail-encryption-enabled/2", keyed(KEY, key(KEY, "Enabled"), &[]), &default, Verdict::COMPLIANT),
        (
            "cloud-trail-encryption-enabled/3",
            keyed(KEY, key(KEY, "Disabled"), &[]),
            &default,
            found(&format!("key Disabled: {KEY}")),
        ),
        (
            "cloud-trail-encryption-enabled/4",
            keyed(KEY, key(KEY, "PendingDeletion"), &[]),
            &default,
            found(&format!("key PendingDeletion: {KEY}")),
        ),
        ("cloud-trail-encryption-enabled/8", keyed(KEY, key(KEY, "Updating"), &[]), &default, Verdict::COMPLIANT),
        (
            "a replica that is being made",
            keyed(KEY, key(KEY, "Creating"), &[]),
            &default,
            found(&format!("key Creating: {KEY}")),
        ),
        ("cloud-trail-encryption-enabled/5", keyed(KEY, key(KEY, "Enabled"), &[KEY]), &only_one, Verdict::COMPLIANT),
        ("cloud-trail-encryption-enabled/6", keyed(FOREIGN, KeyAnswer::Denied, &[]), &default, unknown.clone()),
        ("denied, allowed", keyed(FOREIGN, KeyAnswer::Denied, &[FOREIGN]), &only_one, unknown),
        (
            "denied, not allowed",
            keyed(FOREIGN, KeyAnswer::Denied, &[KEY]),
            &only_one,
            found(&format!("key {FOREIGN} is none of kmsKeyArns")),
        ),
        ("denied, ours", keyed(KEY, KeyAnswer::Denied, &[]), &default, found(&format!("key {KEY} cannot be read"))),
        ("gone", keyed(KEY, KeyAnswer::Missing, &[]), &default, found(&format!("key {KEY} does not exist"))),
        (
            "another key",
            keyed(OTHER, key(OTHER, "Enabled"), &[KEY]),
            &only_one,
            found(&format!("key {OTHER} is none of kmsKeyArns")),
        ),
        ("named by an id", keyed("1", key(KEY, "Enabled"), &[KEY]), &only_one, Verdict::COMPLIANT),
        ("any state", unread.clone(), &any_state, Verdict::COMPLIANT),
        ("any state, none", keyless(), &any_state, none),
        ("not read", unread, &default, found(&format!("key {KEY} was not read"))),
    ] {
        assert_eq!(judge(&subject, params), expected, "{case}");
    }
}

#[test]
fn an_item_of_ours_is_judged_and_one_of_elsewhere_is_not_unless_it_hides_ours() {
    let elsewhere = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
    let foreign = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main";
    let default = TrailEncryptionParameters::default();
    let verdict =
        |recorded: RecordedTrail, facts| judge(&CloudTrailEncryptionEnabled.subject(recorded, facts), &default);
    for blank in [json!(null), json!("")] {
        assert!(verdict(recorded(TRAIL, "eu-west-1", &blank), None).is_non_compliant(), "{blank}");
    }
    let facts = Some(KeyFacts { live: None, keys: Some(keys(Some(key(KEY, "Enabled")), &[])) });
    assert_eq!(verdict(recorded(TRAIL, "eu-west-1", &json!(KEY)), facts), Verdict::COMPLIANT);
    let replica = Verdict::not_applicable("Trail main is replicated from us-east-1; evaluated there");
    assert_eq!(verdict(recorded(elsewhere, "us-east-1", &json!(null)), None), replica);
    let of_other = Verdict::not_applicable("Trail main belongs to account 444455556666; evaluated there");
    assert_eq!(verdict(recorded(foreign, "eu-west-1", &json!(null)), None), of_other);
    let hidden = Some(KeyFacts { live: Some(trail(None)), keys: None });
    assert!(verdict(recorded(elsewhere, "us-east-1", &json!(KEY)), hidden).is_non_compliant());
}

#[test]
fn parameters_name_keys_and_nothing_else() {
    let blank = parameters(r#"{"kmsKeyArns": " , ", "checkKeyState": "false"}"#);
    assert!(!blank.keys_matter() && parameters("{}").keys_matter());
    let error = RuleParameters::<TrailEncryptionParameters>::parse(Some(r#"{"remediationKeyArn": "alias/logs"}"#));
    let expected = "ruleParameters.remediationKeyArn: expected the ARN of a KMS key or alias: received `alias/logs`";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn a_trail_without_a_key_is_given_one_by_a_call_that_names_nothing_else() {
    assert_eq!(plan(&keyless(), &giving()), Plan::Do { steps: vec![Step::call(Level::L2, update(KEY))] });
    let call = json!({"UpdateTrail": {"Name": TRAIL, "KmsKeyId": KEY}});
    assert_eq!(serde_json::to_value(update(KEY)).unwrap(), call);
    assert_eq!(plan(&keyed(KEY, key(KEY, "Enabled"), &[]), &giving()), Plan::Nothing);
    let mut replica = keyless();
    replica.trail.home_region = Region::new("us-east-1");
    let mut foreign = keyless();
    foreign.trail.owner = AccountId::new("444455556666");
    assert_eq!((plan(&replica, &giving()), plan(&foreign, &giving())), (Plan::Nothing, Plan::Nothing));
}

#[test]
fn a_key_named_by_its_alias_is_given_by_its_own_arn() {
    let alias = arn("arn:aws:kms:eu-west-1:111122223333:alias/trails");
    let params = TrailEncryptionParameters { remediation_key_arn: Some(alias.clone()), ..giving() };
    let named = Candidate { named: alias.as_str().to_owned(), ..candidate(key(KEY, "Enabled")) };
    let subject = KeyedTrail { candidate: Some(named), ..keyless() };
    assert_eq!(plan(&subject, &params), Plan::Do { steps: vec![Step::call(Level::L2, update(KEY))] });
    assert_eq!(CloudTrailEncryptionEnabled.expect(subject, &update(KEY)), keyed(KEY, key(KEY, "Enabled"), &[]));
}

#[test]
fn without_a_key_to_give_a_person_chooses() {
    let case = "cloud-trail-encryption-enabled/7";
    let words = format!(
        "choose a KMS key whose policy lets CloudTrail use it, and set it as the key of trail {TRAIL}, or name it in \
         remediationKeyArn"
    );
    let chosen = plan(&keyless(), &TrailEncryptionParameters::default());
    assert_eq!(chosen, Plan::Do { steps: vec![Step::person(Level::L2, words)] }, "{case}");
}

#[test]
fn a_key_that_a_trail_has_is_never_replaced() {
    for subject in [keyed(KEY, key(KEY, "Disabled"), &[]), keyed(KEY, KeyAnswer::Missing, &[])] {
        let held = plan(&subject, &giving());
        let reason = format!("trail main has key {KEY}, which is never replaced by machine");
        assert_eq!(held.obstacle(true), Some(reason));
        assert_eq!(held.calls(), Vec::<&Action>::new());
    }
}

#[test]
fn a_key_that_may_not_serve_holds_the_call() {
    let mut organization = keyless();
    organization.trail.settings.is_organization_trail = Some(true);
    let disabled = KeyedTrail { candidate: Some(candidate(key(KEY, "Disabled"))), ..keyless() };
    let unread = KeyedTrail { candidate: None, ..keyless() };
    let listed = TrailEncryptionParameters { kms_key_arns: Some(OTHER.parse().unwrap()), ..giving() };
    let among_others = KeyedTrail { keys: Some(keys(None, &[OTHER])), ..keyless() };
    for (subject, params, expected) in [
        (organization, giving(), "Trail main is an organization trail: its update needs "),
        (disabled, giving(), "key arn:aws:kms:eu-west-1:111122223333:key/1 is in state Disabled"),
        (unread, giving(), "key arn:aws:kms:eu-west-1:111122223333:key/1 was not read"),
        (among_others, listed, "key arn:aws:kms:eu-west-1:111122223333:key/1 is none of kmsKeyArns"),
    ] {
        let held = plan(&subject, &params);
        let Plan::Hold { reason, steps } = &held else { panic!("{held:?}") };
        assert!(reason.starts_with(expected), "{reason}");
        assert_eq!(steps, &vec![Step::call(Level::L2, update(KEY))]);
    }
}

#[test]
fn the_key_is_the_footprint_and_an_empty_one_takes_it_away() {
    let fixed = CloudTrailEncryptionEnabled.expect(keyless(), &update(KEY));
    assert_eq!(fixed, keyed(KEY, key(KEY, "Enabled"), &[]));
    assert_eq!(CloudTrailEncryptionEnabled.footprint(&fixed, &[update(KEY)]), json!({"kmsKeyId": KEY}));
    assert_eq!(CloudTrailEncryptionEnabled.footprint(&fixed, &[]), json!({}));
    let undo = CloudTrailEncryptionEnabled.undo(&keyless(), &[update(KEY)]).unwrap();
    assert_eq!(undo, vec![update("")]);
    assert_eq!(CloudTrailEncryptionEnabled.expect(fixed, &undo[0]).trail, trail(None));
    let elsewhere = Action::UpdateTrail { name: format!("{TRAIL}-2"), kms_key_id: KEY.into() };
    assert_eq!(CloudTrailEncryptionEnabled.expect(keyless(), &elsewhere), keyless());
}
