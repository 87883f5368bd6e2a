//! The laws of the remediation over generated policies.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rectify_testing::Laws;

use super::S3BucketSslRequestsOnly as CONTROL;
use super::tests::{deny, plan, with_text};
use super::*;
use crate::testing::reordered;

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

/// The text of each statement, and the text of the policy.
fn texts() -> impl Strategy<Value = (Vec<String>, String)> {
    let gap = prop::sample::select(vec!["", " ", "\n  "]);
    (prop::collection::vec((statement(), any::<bool>()), 0..4), gap, any::<bool>()).prop_map(
        |(statements, gap, bare)| {
            let text = |(statement, pretty): &(Value, bool)| match pretty {
                true => serde_json::to_string_pretty(statement).unwrap(),
                false => statement.to_string(),
            };
            let texts: Vec<String> = statements.iter().map(text).collect();
            let list = match texts.as_slice() {
                [only] if bare => only.clone(),
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
fn laws() {
    Laws::of(&CONTROL, &["/policy"], |_, live, undo| match undo {
        Undo::PutBucketPolicy(call) => Subject { policy: Some(call.policy.clone()), ..live },
        Undo::DeleteBucketPolicy { .. } => Subject { policy: None, ..live },
    })
    .hold(subjects().prop_map(|(_, subject)| (subject, NoParameters {})));
}

fn fixed(subject: &Subject) -> (Vec<Action>, Subject) {
    let actions: Vec<Action> = plan(subject).calls().into_iter().cloned().collect();
    let after = actions.iter().fold(subject.clone(), |live, action| CONTROL.predict(live, action));
    (actions, after)
}

proptest! {
    #[test]
    fn the_fix_adds_a_statement_and_keeps_every_other_byte((statements, subject) in subjects()) {
        let (actions, after) = fixed(&subject);
        if let (false, Some(before), Some(after)) = (actions.is_empty(), &subject.policy, &after.policy) {
            prop_assert_eq!(&after.policy().0[..before.policy().0.len()], &before.policy().0[..]);
            prop_assert_eq!(after.policy().0.len(), before.policy().0.len() + 1);
            let mut rest = after.text();
            for statement in &statements {
                let (_, after) = rest.split_once(statement.as_str()).expect("every statement, in order");
                rest = after;
            }
            let labels = |of: &Document| of.policy().0.iter().map(|it| it.label.clone()).collect::<BTreeSet<_>>();
            prop_assert_eq!(labels(after).len(), labels(before).len() + 1, "the new Sid is unique");
        }
    }

    #[test]
    fn fix_and_undo_ignore_the_order_in_a_policy((_, subject) in subjects()) {
        let returned = |subject: &Subject| Subject {
            policy: subject.policy.as_ref().map(|it| Document::parse("p", &reordered(it.text())).unwrap()),
            ..subject.clone()
        };
        let (actions, after) = fixed(&subject);
        for subject in [subject, after] {
            prop_assert_eq!(&returned(&subject), &subject);
            prop_assert_eq!(CONTROL.touched_fields(&returned(&subject), &actions), CONTROL.touched_fields(&subject, &actions));
        }
    }
}
