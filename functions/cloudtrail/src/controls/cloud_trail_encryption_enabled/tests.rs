use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Cases, Laws};

use super::*;
use crate::resources::trail::arbitrary::trails;
use crate::resources::trail::tests::{
    FOREIGN, OF_ANOTHER_ACCOUNT, ORGANIZATION, REPLICA, REPLICATED, TRAIL, recorded, trail,
};
use crate::resources::trail_key::tests::{KEY, arn, candidate, key};

const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/2";
const FOREIGN_KEY: &str = "arn:aws:kms:eu-west-1:444455556666:key/3";
const NO_KEY: &str = "Trail main is not KMS encrypted";
const ONE_KEY: &str = r#"{"kmsKeyArns": "alias/logs"}"#;
const ANY_STATE: &str = r#"{"checkKeyState": "false"}"#;
const GIVING: &str = r#"{"remediationKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1"}"#;
const FIX: &str = r#"L2 UpdateTrail {"KmsKeyId":"arn:aws:kms:eu-west-1:111122223333:key/1","Name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#;

fn parameters(text: &str) -> TrailEncryptionParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

fn keys(current: Option<KeyAnswer>, allowed: &[&str]) -> Option<Keys> {
    Some(Keys { current, allowed: allowed.iter().map(|it| (*it).to_owned()).collect() })
}

fn keyed(name: &str, answer: KeyAnswer, allowed: &[&str]) -> KeyedTrail {
    let mut trail = trail();
    trail.settings.kms_key_id = Some(name.to_owned());
    KeyedTrail { trail, keys: keys(Some(answer), allowed), candidate: None }
}

/// A trail without a key, with the candidate key.
fn keyless() -> KeyedTrail {
    KeyedTrail { trail: trail(), keys: keys(None, &[]), candidate: Some(candidate(key(KEY, "Enabled"))) }
}

fn update(key: &str) -> Action {
    Action::UpdateTrail { name: TRAIL.into(), kms_key_id: key.into() }
}

#[test]
fn a_trail_needs_a_key_that_exists_is_enabled_and_is_allowed() {
    let cases = Cases::of(&CloudTrailEncryptionEnabled, keyless());
    let case = |name: &'static str, key: &str, answer: KeyAnswer, allowed: &[&str]| {
        cases.case(name, |it| *it = keyed(key, answer, allowed))
    };
    let state = |name: &'static str, state: &str| case(name, KEY, key(KEY, state), &[]);
    let found = |text: &str| format!("Trail main: {text}");
    let unknown = Verdict::Compliant(Some(
        format!("Trail main: key state unknown: {FOREIGN_KEY} belongs to another account").into(),
    ));
    let no_keys = |name: &'static str| {
        cases.case(name, |it| *it = KeyedTrail { keys: None, ..keyed(KEY, KeyAnswer::Missing, &[]) })
    };

    cases.case("cloud-trail-encryption-enabled/1", |_| ()).non_compliant(NO_KEY);
    state("cloud-trail-encryption-enabled/2", "Enabled").compliant();
    state("cloud-trail-encryption-enabled/3", "Disabled").non_compliant(&found(&format!("key Disabled: {KEY}")));
    state("cloud-trail-encryption-enabled/4", "PendingDeletion")
        .non_compliant(&found(&format!("key PendingDeletion: {KEY}")));
    state("cloud-trail-encryption-enabled/8", "Updating").compliant();
    state("a replica key being created", "Creating").non_compliant(&found(&format!("key Creating: {KEY}")));
    case("cloud-trail-encryption-enabled/5", KEY, key(KEY, "Enabled"), &[KEY]).with(ONE_KEY).compliant();
    case("cloud-trail-encryption-enabled/6", FOREIGN_KEY, KeyAnswer::Denied, &[]).is(&unknown);
    case("denied, allowed", FOREIGN_KEY, KeyAnswer::Denied, &[FOREIGN_KEY]).with(ONE_KEY).is(&unknown);
    case("denied, not allowed", FOREIGN_KEY, KeyAnswer::Denied, &[KEY])
        .with(ONE_KEY)
        .non_compliant(&found(&format!("key {FOREIGN_KEY} is not in kmsKeyArns")));
    case("denied, in this account", KEY, KeyAnswer::Denied, &[])
        .non_compliant(&found(&format!("key {KEY} cannot be read")));
    case("gone", KEY, KeyAnswer::Missing, &[]).non_compliant(&found(&format!("key {KEY} does not exist")));
    case("another key", OTHER, key(OTHER, "Enabled"), &[KEY])
        .with(ONE_KEY)
        .non_compliant(&found(&format!("key {OTHER} is not in kmsKeyArns")));
    case("named by an id", "1", key(KEY, "Enabled"), &[KEY]).with(ONE_KEY).compliant();
    no_keys("any state").with(ANY_STATE).compliant();
    cases.case("any state, no key", |_| ()).with(ANY_STATE).non_compliant(NO_KEY);
    no_keys("not read").non_compliant(&found(&format!("key {KEY} was not read")));
}

#[test]
fn an_item_is_evaluated_where_its_trail_is_owned_unless_it_hides_a_local_trail() {
    let cases = Cases::of(&CloudTrailEncryptionEnabled, keyless());
    let case = |name: &'static str, arn: &str, key: Value, facts: Option<KeyFacts>| {
        cases.case(name, |it| *it = CloudTrailEncryptionEnabled.subject(recorded(arn, "kmsKeyId", key), facts))
    };
    for blank in [json!(null), json!("")] {
        case("no key", TRAIL, blank, None).non_compliant(NO_KEY);
    }
    let enabled = KeyFacts { live: None, keys: keys(Some(key(KEY, "Enabled")), &[]) };
    case("a key", TRAIL, json!(KEY), Some(enabled)).compliant();
    case("a replica", REPLICA, json!(null), None).not_applicable(REPLICATED);
    case("in another account", FOREIGN, json!(null), None).not_applicable(OF_ANOTHER_ACCOUNT);
    let hidden = KeyFacts { live: Some(trail()), keys: None };
    case("a replica that hides a local trail", REPLICA, json!(KEY), Some(hidden)).non_compliant(NO_KEY);
}

#[test]
fn parameters_accept_only_keys() {
    let blank = parameters(r#"{"kmsKeyArns": " , ", "checkKeyState": "false"}"#);
    assert!(!blank.keys_matter() && parameters("{}").keys_matter());
    let error = RuleParameters::<TrailEncryptionParameters>::parse(Some(r#"{"remediationKeyArn": "alias/logs"}"#));
    let expected = "ruleParameters.remediationKeyArn: expected the ARN of a KMS key or alias: received `alias/logs`";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn a_missing_key_is_set_and_an_existing_key_is_never_replaced() {
    let cases = Cases::of(&CloudTrailEncryptionEnabled, keyless());
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/trails";
    let choose = format!(
        "L2 manual: choose a KMS key whose policy lets CloudTrail use it, and set it for trail {TRAIL}, or name it \
         in remediationKeyArn"
    );
    cases.case("a usable key", |_| ()).with(GIVING).non_compliant(NO_KEY).planned(&[FIX]);
    cases
        .case("a key given by its alias", |it| it.candidate.as_mut().unwrap().named = alias.to_owned())
        .with(&json!({"remediationKeyArn": alias}).to_string())
        .non_compliant(NO_KEY)
        .planned(&[FIX]);
    cases.case("cloud-trail-encryption-enabled/7", |_| ()).non_compliant(NO_KEY).planned(&[&choose]);
    for (name, held, change) in [
        (
            "an organization trail",
            ORGANIZATION.to_owned(),
            (|it| it.trail.settings.is_organization_trail = Some(true)) as fn(&mut KeyedTrail),
        ),
        ("a disabled key", format!("key {KEY} is in state Disabled"), |it| {
            it.candidate = Some(candidate(key(KEY, "Disabled")));
        }),
        ("a key that was not read", format!("key {KEY} was not read"), |it| it.candidate = None),
    ] {
        let held = format!("blocked: {held}");
        cases.case(name, change).with(GIVING).non_compliant(NO_KEY).planned(&[&held, FIX]);
    }
    let held = format!("blocked: key {KEY} is not in kmsKeyArns");
    cases
        .case("a key that is not in kmsKeyArns", |it| it.keys = keys(None, &[OTHER]))
        .with(&json!({"remediationKeyArn": KEY, "kmsKeyArns": OTHER}).to_string())
        .non_compliant(NO_KEY)
        .planned(&[&held, FIX]);
    for (answer, why) in [
        (key(KEY, "Disabled"), format!("key Disabled: {KEY}")),
        (KeyAnswer::Missing, format!("key {KEY} does not exist")),
    ] {
        cases
            .case("an existing key", |it| *it = keyed(KEY, answer, &[]))
            .with(GIVING)
            .non_compliant(&format!("Trail main: {why}"))
            .planned(&[
                &format!("blocked: trail main has key {KEY}, which is never replaced automatically"),
                &format!("L2 manual: enable key {KEY}, or set a key that is enabled and allowed for trail {TRAIL}"),
            ]);
    }
}

#[test]
fn the_key_is_the_touched_field_and_an_empty_key_clears_it() {
    let fixed = CloudTrailEncryptionEnabled.predict(keyless(), &update(KEY));
    assert_eq!(fixed, keyed(KEY, key(KEY, "Enabled"), &[]));
    assert_eq!(CloudTrailEncryptionEnabled.touched_fields(&fixed, &[update(KEY)]), json!({"kmsKeyId": KEY}));
    assert_eq!(CloudTrailEncryptionEnabled.touched_fields(&fixed, &[]), json!({}));
    let undo = CloudTrailEncryptionEnabled.undo(&keyless(), &[update(KEY)]).unwrap();
    assert_eq!(undo, vec![update("")]);
    assert_eq!(CloudTrailEncryptionEnabled.predict(fixed, &undo[0]).trail, trail());
    let elsewhere = Action::UpdateTrail { name: format!("{TRAIL}-2"), kms_key_id: KEY.into() };
    assert_eq!(CloudTrailEncryptionEnabled.predict(keyless(), &elsewhere), keyless());
}

fn answers() -> impl Strategy<Value = KeyAnswer> {
    let known = prop::sample::select(vec!["Enabled", "Enabled", "Disabled", "PendingDeletion"]);
    prop_oneof![6 => known.prop_map(|state| key(KEY, state)), 1 => Just(KeyAnswer::Denied), 1 => Just(KeyAnswer::Missing)]
}

/// A live read: a key with its KMS response, or no key and a candidate.
fn subjects() -> impl Strategy<Value = KeyedTrail> {
    (trails(), any::<bool>(), answers()).prop_map(|(mut trail, has_key, answer)| {
        trail.settings.kms_key_id = has_key.then(|| KEY.to_owned());
        let candidate = (!has_key).then(|| candidate(answer.clone()));
        KeyedTrail { trail, keys: keys(has_key.then_some(answer), &[]), candidate }
    })
}

#[test]
fn laws() {
    let params = (any::<bool>(), any::<bool>()).prop_map(|(state, give)| TrailEncryptionParameters {
        check_key_state: Flag(state),
        remediation_key_arn: give.then(|| arn(KEY)),
        ..TrailEncryptionParameters::default()
    });
    let touched = ["/trail/settings/kmsKeyId", "/keys/current", "/candidate"];
    Laws::of(&CloudTrailEncryptionEnabled, &touched, Remediation::predict)
        .never(|before, after| before.trail.settings.kms_key_id.is_some() && after.trail != before.trail)
        .blocked_by_lack()
        .hold((subjects(), params));
}
