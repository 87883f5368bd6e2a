//! The laws of remediation over generated policies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::{deny, judge, plan, with_text};
use super::*;
use crate::testing::respelt;

fn statement() -> impl Strategy<Value = Value> {
    let resource = prop::sample::select(vec!["arn:aws:s3:::pics", "arn:aws:s3:::pics/*", "arn:aws:s3:::pics*", "*"]);
    let effect = prop::sample::select(vec!["Deny", "Deny", "Deny", "Allow"]);
    let action = prop::sample::select(vec!["s3:*", "s3:*", "*", "s3:Get*"]);
    let sid = prop::sample::select(vec!["DenyInsecureTransport", "DenyInsecureTransport2", "a \\\"],{ b", "Statement"]);
    let secure = prop::sample::select(vec![json!("false"), json!(false), json!("false"), json!("true")]);
    (resource, effect, action, sid, secure).prop_map(|(resource, effect, action, sid, secure)| {
        deny(json!({"Sid": sid, "Effect": effect, "Action": action, "Resource": [resource],
                    "Condition": {"Bool": {"aws:SecureTransport": secure}}}))
    })
}

/// Each statement as it stands in the text, and the text.
fn texts() -> impl Strategy<Value = (Vec<String>, String)> {
    let gap = prop::sample::select(vec!["", " ", "\n  "]);
    (prop::collection::vec((statement(), any::<bool>()), 0..4), gap, any::<bool>()).prop_map(
        |(statements, gap, alone)| {
            let text = |(statement, pretty): &(Value, bool)| match pretty {
                true => serde_json::to_string_pretty(statement).unwrap(),
                false => statement.to_string(),
            };
            let texts: Vec<String> = statements.iter().map(text).collect();
            let list = match texts.as_slice() {
                [only] if alone => only.clone(),
                all => format!("[{gap}{}{gap}]", all.join(&format!("{gap},{gap}"))),
            };
            (texts, format!(r#"{{"Version":{gap}"2012-10-17",{gap}"Statement":{list}{gap},"Id":"Statement"}}"#))
        },
    )
}

fn subjects() -> impl Strategy<Value = (Vec<String>, Subject)> {
    (prop::option::weighted(0.9, texts()), prop::bool::weighted(0.1)).prop_map(|(texts, website)| {
        let (statements, text) = texts.unzip();
        (statements.unwrap_or_default(), Subject { website, ..with_text(text.as_deref()) })
    })
}

#[test]
fn generated_policies_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let sample: Vec<Subject> = (0..500).map(|_| subjects().new_tree(&mut runner).unwrap().current().1).collect();
    let violating = sample.iter().filter(|it| judge(it).is_non_compliant()).count();
    assert!((100..=400).contains(&violating), "{violating} violating of 500");
}

/// What S3 does with an undo.
fn reverted(live: Subject, undo: &Undo) -> Subject {
    match undo {
        Undo::PutBucketPolicy(call) => Subject { policy: Some(call.policy.clone()), ..live },
        Undo::DeleteBucketPolicy { .. } => Subject { policy: None, ..live },
    }
}

proptest! {
    #[test]
    fn the_fix_adds_a_statement_and_keeps_every_other_byte_and_undo_restores_all((statements, subject) in subjects()) {
        let plan_before = plan(&subject);
        prop_assert_eq!(plan_before != Plan::Nothing, judge(&subject).is_non_compliant());
        let actions: Vec<Action> = plan_before.calls().into_iter().cloned().collect();
        let after = actions.iter().fold(subject.clone(), |live, action| S3BucketSslRequestsOnly.expect(live, action));
        prop_assert_eq!(judge(&after), Verdict::COMPLIANT);
        prop_assert_eq!(plan(&after), Plan::Nothing);
        prop_assert_eq!(&Subject { policy: subject.policy.clone(), ..after.clone() }, &subject);
        if let (false, Some(before), Some(after)) = (actions.is_empty(), &subject.policy, &after.policy) {
            prop_assert_eq!(&after.policy().0[..before.policy().0.len()], &before.policy().0[..]);
            prop_assert_eq!(after.policy().0.len(), before.policy().0.len() + 1);
            let mut rest = after.text();
            for statement in &statements {
                let (_, behind) = rest.split_once(statement.as_str()).expect("every statement, in its order");
                rest = behind;
            }
            let labels: std::collections::BTreeSet<&str> = after.policy().0.iter().map(|it| it.label.as_str()).collect();
            let unique: std::collections::BTreeSet<&str> = before.policy().0.iter().map(|it| it.label.as_str()).collect();
            prop_assert_eq!(labels.len(), unique.len() + 1, "the new Sid is nobody else's");
        }

        let done = actions.to_vec();
        let undo = S3BucketSslRequestsOnly.undo(&subject, &done).unwrap();
        prop_assert_eq!(undo.iter().fold(after, reverted), subject);
    }

    #[test]
    fn a_policy_that_comes_back_in_another_order_is_the_same_to_fix_and_undo((_, subject) in subjects()) {
        let returned = |subject: &Subject| Subject {
            policy: subject.policy.as_ref().map(|it| Document::parse("p", &respelt(it.text())).unwrap()),
            ..subject.clone()
        };
        prop_assert_eq!(&returned(&subject), &subject);
        let actions: Vec<Action> = plan(&subject).calls().into_iter().cloned().collect();
        let after = actions.iter().fold(subject.clone(), |live, action| S3BucketSslRequestsOnly.expect(live, action));
        prop_assert_eq!(&returned(&after), &after);
        let footprint = |it: &Subject| S3BucketSslRequestsOnly.footprint(it, &actions);
        prop_assert_eq!(footprint(&returned(&after)), footprint(&after));
        prop_assert_eq!(footprint(&returned(&subject)), footprint(&subject));
        prop_assert_eq!(footprint(&after) == footprint(&subject), actions.is_empty());
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored((_, subject) in subjects()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Subject>(), Ok(subject.clone()));
        for action in plan(&subject).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
