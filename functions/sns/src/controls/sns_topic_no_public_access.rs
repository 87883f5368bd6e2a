//! `sns-topic-no-public-access`: everyone may use a topic.

use rectify_compliance::control;
use rectify_policy::{Edit, PublicPolicy, ResourceKind};

use crate::resources::topic::{SET, TYPE, Topic};

control! {
    /// ## What it checks
    /// That no statement of the topic's policy allows an action to everyone.
    /// A statement is public if its principal is `*`, empty, a pattern or `NotPrincipal`, and no condition restricts it to accounts, organizations, networks or sources with a fixed owner.
    /// Conditions on `sns:Endpoint`, `sns:Protocol` or `aws:SecureTransport` do not restrict: anyone can meet them.
    /// The default policy of a topic restricts `*` to the owner by `AWS:SourceOwner` and is compliant.
    /// A Deny cancels a public statement only if it is for everyone and has no condition.
    /// If the item has no policy, the topic is read; a policy that cannot be decoded fails the invocation.
    ///
    /// ## Why it matters
    /// Anyone with an AWS account can then publish to the topic's subscribers, or subscribe and read its messages.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Sid": "Alarms", "Effect": "Allow", "Principal": "*", "Action": "SNS:Publish", "Resource": "*",
    ///  "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Sid": "Alarms", "Effect": "Allow", "Principal": "*", "Action": "SNS:Publish", "Resource": "*"}
    /// ```
    /// Annotation: `Statement Alarms lets everyone call SNS:Publish`.
    ///
    /// ## Parameters
    /// `wildcardValues` decides which condition values are fixed; AWS's managed rule reads them as `strict`.
    /// `removeConditional` changes no verdict.
    ///
    /// ## Remediation
    /// L2: one `sns:SetTopicAttributes` puts the policy without the public statements; the text of all other statements stays.
    /// If no statement is left, it puts the default policy, which allows everything to the owner's account alone.
    /// What may break: publishers and subscribers that rely on a removed statement, including AWS services that use it.
    /// It is planned and never applied if a public statement has a condition, unless `removeConditional` is set, and if the policy names a deleted principal, since SNS refuses such a policy.
    /// SNS has no conditional write, so a change in the milliseconds between the last live read and the call is overwritten.
    /// Undo puts the previous policy back, and so opens the topic again.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/sns-topic-no-public-access.html)
    /// - [Security Hub SNS.4](https://docs.aws.amazon.com/securityhub/latest/userguide/sns-controls.html#sns-4)
    /// - [Access policies of topics](https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html)
    /// - [SetTopicAttributes](https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html)
    pub SNS_TOPIC_NO_PUBLIC_ACCESS: PublicPolicy<Topic> = PUBLIC_POLICY {
        id: "sns-topic-no-public-access",
        title: "Topic can be used by everyone",
        severity: Critical,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["SNS.4"],
        },
    }
}

const PUBLIC_POLICY: PublicPolicy<Topic> = PublicPolicy {
    kind: ResourceKind::PLAIN,
    arn: |topic| &topic.arn,
    get: |topic| topic.policy.as_ref(),
    set: |topic, policy| topic.policy = policy,
    not_judged: |_| None,
    edit: Edit::Replace { put: SET.member("Policy"), empty: Topic::default_policy },
    blocked: |_, _| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Remediation, SetCall};
    use rectify_policy::PolicyParameters;
    use rectify_testing::{Cases, Laws, policies};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::topic::tests::{ARN, topic};

    fn of(statements: &Value) -> Topic {
        topic(Some(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
    }

    fn open(condition: &Value) -> Value {
        json!({"Sid": "A", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": ARN,
               "Condition": condition})
    }

    #[test]
    fn cases() {
        let public = "Statement A lets everyone call SNS:Publish";
        let source = |operator: &str, arn: &str| json!({operator: {"aws:SourceArn": arn}});
        let both = json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc"}, "Bool": {"aws:SecureTransport": "true"}});
        let strict = r#"{"wildcardValues": "strict"}"#;
        for (case, condition, parameters, is_public) in [
            ("sns-topic-no-public-access/2", source("ArnLike", "arn:aws:s3:::bucket"), "{}", false),
            ("sns-topic-no-public-access/2, strict", source("ArnLike", "arn:aws:s3:::bucket"), strict, false),
            ("sns-topic-no-public-access/3", source("ArnLike", "arn:aws:s3:*:*:bucket"), "{}", false),
            ("sns-topic-no-public-access/3, strict", source("ArnLike", "arn:aws:s3:*:*:bucket"), strict, true),
            ("sns-topic-no-public-access/4", json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}), "{}", false),
            ("sns-topic-no-public-access/5", both, "{}", false),
            ("sns-topic-no-public-access/7", source("StringLike", "arn:aws:sns:eu-west-1:*:t"), "{}", true),
            ("a protocol", json!({"StringEquals": {"sns:Protocol": "email"}}), "{}", true),
        ] {
            let cases = Cases::of(&PUBLIC_POLICY, of(&open(&condition)));
            let case = cases.case(case, |_| ()).with(parameters);
            if is_public { drop(case.non_compliant(public)) } else { case.compliant() }
        }
        let default = topic(Some(&topic(None).default_policy()));
        Cases::of(&PUBLIC_POLICY, default).case("sns-topic-no-public-access/1", |_| ()).compliant();
        Cases::of(&PUBLIC_POLICY, topic(None)).case("no policy", |_| ()).compliant();
        let of_another = |it: &mut Topic| it.arn.push_str("-of-another-team");
        Cases::of(&PUBLIC_POLICY, of(&open(&json!({})))).case("another topic's ARN", of_another).compliant();
    }

    #[test]
    fn the_public_statements_go_and_the_others_stay() {
        let owner = json!({"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
            "Action": "SNS:Publish", "Resource": ARN,
            "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}});
        let mut console = open(&json!({}));
        console["Sid"] = "__console_pub_0".into();
        let found = "Statement __console_pub_0 lets everyone call SNS:Publish";
        let put = |text: &str| format!("L2 SetTopicAttributes {}", json!({"Policy": text, "TopicArn": ARN}));
        let kept = json!({"Version": "2012-10-17", "Statement": [owner]}).to_string();
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!([owner, console])));
        cases.case("sns-topic-no-public-access/6", |_| ()).non_compliant(found).planned(&[&put(&kept)]);
        let default = topic(None).default_policy();
        let cases = Cases::of(&PUBLIC_POLICY, of(&console));
        cases.case("none is left", |_| ()).non_compliant(found).planned(&[&put(&default)]);
        cases
            .case("sns-topic-no-public-access/8", |it| {
                it.arn.push_str(".fifo");
                it.policy = of(&json!({"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "SNS:Publish",
                    "Resource": "*"}))
                .policy;
            })
            .non_compliant("Statement A lets everyone call SNS:Publish");
    }

    #[test]
    fn undo_is_refused_where_the_policy_changed_meanwhile() {
        let case = "sns-topic-no-public-access/9";
        let before = of(&json!([open(&json!({}))]));
        let plan = PUBLIC_POLICY.plan(&before, &PolicyParameters::default(), rectify_testing::NOW);
        let done: Vec<SetCall> = plan.calls().into_iter().cloned().collect();
        let after = PUBLIC_POLICY.predict(before.clone(), &done[0]);
        let meanwhile = of(&json!({"Effect": "Deny", "Principal": "*", "Action": "SNS:*", "Resource": ARN}));
        let touched = |it: &Topic| PUBLIC_POLICY.touched_fields(it, &done);
        assert_ne!(touched(&after), touched(&meanwhile), "{case}");
        let undo = PUBLIC_POLICY.undo(&before, &done).unwrap();
        assert_eq!(PUBLIC_POLICY.predict(after, &undo[0]), before);
    }

    #[test]
    fn laws() {
        let subjects = policies("SNS:Publish", ARN).prop_map(|it| (topic(it.as_deref()), PolicyParameters::default()));
        Laws::of(&PUBLIC_POLICY, &["/policy"], Remediation::predict).restores_full_state().hold(subjects);
    }
}
