//! The laws of the remediation over generated rules and requirements.

use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Laws, NOW};

use super::S3BucketServerSideEncryptionEnabled as CONTROL;
use super::tests::{ALLOWED, AWS, OTHER, key_of, rule, subject};
use super::*;
use crate::resources::encryption::BlockedEncryptionTypes;

fn rules() -> impl Strategy<Value = Option<Rule>> {
    let algorithm = prop::sample::select(vec![Algorithm::Aes256, Algorithm::Kms, Algorithm::Dsse, Algorithm::Fsx]);
    let key = prop::option::of(prop::sample::select(vec![ALLOWED, OTHER, AWS]));
    let blocked = prop::option::of(Just(BlockedEncryptionTypes { encryption_type: vec!["SSE-C".to_owned()] }));
    let generated = (algorithm, key, prop::option::of(any::<bool>()), blocked).prop_map(
        |(algorithm, key, bucket_key_enabled, blocked_encryption_types)| Rule {
            bucket_key_enabled,
            blocked_encryption_types,
            ..rule(algorithm, key.filter(|_| algorithm.uses_kms()))
        },
    );
    prop::option::weighted(0.9, generated)
}

fn requirements() -> impl Strategy<Value = Params> {
    let algorithm = prop::sample::select(vec!["any", "AES256", "aws:kms", "aws:kms:dsse"]);
    let keys = prop::sample::select(vec!["", "", ALLOWED, "alias/a,alias/b"]);
    (algorithm, keys, any::<bool>(), any::<bool>()).prop_map(|(algorithm, keys, cmk, bucket_key)| {
        let text = json!({"requiredAlgorithm": algorithm, "kmsKeyArns": keys, "requireCmk": cmk,
            "requireBucketKey": bucket_key});
        RuleParameters::parse(Some(&text.to_string())).unwrap().control
    })
}

fn subjects() -> impl Strategy<Value = (Subject, Params)> {
    let sources = prop::option::weighted(0.8, prop::collection::btree_set("[a-z]{3}", 0..2));
    let unreadable = prop::collection::btree_set("[a-z]{3}", 0..2);
    (rules(), requirements(), sources, unreadable).prop_map(|(rule, params, log_sources, unreadable_sources)| {
        let current = rule.as_ref().and_then(Rule::key).map(key_of);
        let allowed = [ALLOWED, OTHER].iter().take(params.allowed().len()).map(|arn| key_of(arn)).collect();
        let keys = params.keys_matter().then_some(Keys { current, allowed });
        (Subject { keys, log_sources, unreadable_sources, ..subject(rule) }, params)
    })
}

/// Whether the algorithm is weaker, the bucket key is turned off although the algorithm supports it, or the blocked
/// types differ.
fn is_weakened(before: &Subject, after: &Subject) -> bool {
    let (old, new) = (before.rule.clone().unwrap_or_default(), after.rule.clone().unwrap_or_default());
    let to_dsse = new.algorithm() == Some(Algorithm::Dsse) && old.algorithm() != Some(Algorithm::Dsse);
    old.algorithm().and_then(Algorithm::strength) > new.algorithm().and_then(Algorithm::strength)
        || (before.has_bucket_key() && !after.has_bucket_key() && !to_dsse)
        || old.blocked_encryption_types != new.blocked_encryption_types
}

#[test]
fn laws() {
    let touched = ["/rule", "/keys", "/refusesUnencrypted", "/logSources", "/unreadableSources"];
    Laws::of(&CONTROL, &touched, |_, live, undo| match undo {
        Undo::PutBucketEncryption(put) => Subject { rule: put.rule().cloned(), ..live },
        Undo::DeleteBucketEncryption { .. } => Subject { rule: None, ..live },
    })
    .never(is_weakened)
    .hold(subjects());
}

proptest! {
    #[test]
    fn kms_is_applied_only_where_no_access_log_delivery_ends((subject, params) in subjects()) {
        let plan = CONTROL.plan(&subject, &params, NOW);
        let (Plan::Apply { .. }, Some(Action::PutBucketEncryption(put))) = (&plan, plan.calls().first()) else {
            return Ok(());
        };
        if put.rule().and_then(Rule::algorithm).is_some_and(Algorithm::uses_kms) {
            prop_assert!(subject.log_sources.is_some_and(|it| it.is_empty()) && subject.unreadable_sources.is_empty());
        }
    }
}
