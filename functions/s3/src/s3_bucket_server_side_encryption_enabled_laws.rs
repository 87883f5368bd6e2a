//! The laws of remediation over generated rules and requirements.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{AWS, OTHER, OURS, judge, key_of, params, rule, subject};
use super::*;
use crate::encryption::BlockedEncryptionTypes;
use crate::testing::NOW;

fn rules() -> impl Strategy<Value = Option<Rule>> {
    let algorithm = prop::sample::select(vec![Algorithm::Aes256, Algorithm::Kms, Algorithm::Dsse, Algorithm::Fsx]);
    let key = prop::option::of(prop::sample::select(vec![OURS, OTHER, AWS]));
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

fn requirements() -> impl Strategy<Value = Value> {
    let algorithm = prop::sample::select(vec!["any", "AES256", "aws:kms", "aws:kms:dsse"]);
    let keys = prop::sample::select(vec!["", "", OURS, "alias/a,alias/b"]);
    (algorithm, keys, any::<bool>(), any::<bool>()).prop_map(|(algorithm, keys, cmk, bucket_key)| {
        json!({"requiredAlgorithm": algorithm, "kmsKeyArns": keys, "requireCmk": cmk, "requireBucketKey": bucket_key})
    })
}

fn subjects() -> impl Strategy<Value = (Subject, Params)> {
    let sources = prop::option::weighted(0.8, prop::collection::btree_set("[a-z]{3}", 0..2));
    let unreadable = prop::collection::btree_set("[a-z]{3}", 0..2);
    (rules(), requirements(), sources, unreadable).prop_map(|(rule, text, log_sources, unreadable_sources)| {
        let params = params(text);
        let current = rule.as_ref().and_then(Rule::key).map(key_of);
        let allowed = [OURS, OTHER].iter().take(params.allowed().len()).map(|arn| key_of(arn)).collect();
        let keys = params.keys_matter().then_some(Keys { current, allowed });
        (Subject { keys, log_sources, unreadable_sources, ..subject(rule) }, params)
    })
}

proptest! {
    #[test]
    fn the_fix_strengthens_and_keeps_all_else_and_undo_restores_it((subject, params) in subjects()) {
        let plan = S3BucketServerSideEncryptionEnabled.plan(&subject, &params, NOW);
        prop_assert_eq!(plan != Plan::Nothing, judge(&subject, &params).is_non_compliant());
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        if actions.is_empty() {
            return Ok(());
        }
        let after = actions.iter().fold(subject.clone(), |live, action| S3BucketServerSideEncryptionEnabled.expect(live, action));
        prop_assert_eq!(judge(&after, &params), Verdict::COMPLIANT, "{:?}", after);
        prop_assert_eq!(S3BucketServerSideEncryptionEnabled.plan(&after, &params, NOW), Plan::Nothing);
        let (was, is) = (subject.rule.clone().unwrap_or_default(), after.rule.clone().unwrap_or_default());
        prop_assert!(was.algorithm().and_then(Algorithm::strength) <= is.algorithm().and_then(Algorithm::strength));
        prop_assert_eq!(&was.blocked_encryption_types, &is.blocked_encryption_types);
        let turned = is.algorithm() == Some(Algorithm::Dsse) && was.algorithm() != Some(Algorithm::Dsse);
        prop_assert!(was.bucket_key_enabled != Some(true) || is.bucket_key_enabled == Some(true) || turned);
        prop_assert_eq!(&after.bucket, &subject.bucket);
        if let Plan::Do { .. } = plan {
            let kms = is.algorithm().is_some_and(Algorithm::uses_kms);
            prop_assert!(!kms || subject.log_sources.as_ref().is_some_and(BTreeSet::is_empty));
            prop_assert!(!kms || subject.unreadable_sources.is_empty());
        }

        let done = actions.to_vec();
        let restored = S3BucketServerSideEncryptionEnabled.undo(&subject, &done).unwrap().iter().fold(after, |live, undo| match undo {
            Undo::PutBucketEncryption(put) => Subject { rule: put.rule().cloned(), ..live },
            Undo::DeleteBucketEncryption { .. } => Subject { rule: None, ..live },
        });
        prop_assert_eq!(restored.rule, subject.rule.clone());
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored((subject, params) in subjects()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Subject>(), Ok(subject.clone()));
        for action in S3BucketServerSideEncryptionEnabled.plan(&subject, &params, NOW).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
