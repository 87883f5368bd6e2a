//! `sqs-queue-no-public-access`: everyone may use a queue.

use rectify_compliance::control;
use rectify_policy::{Edit, PublicPolicy, ResourceKind};

use crate::resources::queue::{Queue, SET, TYPE};

control! {
    /// ## What it checks
    /// That no statement of the queue's policy allows an action to everyone.
    /// A statement is public if its principal is `*`, empty, a pattern or `NotPrincipal`, and no condition restricts it to accounts, organizations, networks or sources with a fixed owner.
    /// A source of another account is such a source: the statement is not public.
    /// A queue without a policy is compliant: only its owner may use it.
    /// A Deny cancels a public statement only if it is for everyone and has no condition.
    /// A policy that cannot be decoded fails the invocation.
    ///
    /// ## Why it matters
    /// Anyone with an AWS account can then send messages that the queue's consumers process, or read and delete those of others.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Sid": "Events", "Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage", "Resource": "*",
    ///  "Condition": {"ArnEquals": {"aws:SourceArn": "arn:${AWS::Partition}:sns:eu-west-1:111122223333:orders"}}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Sid": "Events", "Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage", "Resource": "*"}
    /// ```
    /// Annotation: `Statement Events lets everyone call SQS:SendMessage`.
    ///
    /// ## Parameters
    /// `wildcardValues` decides which condition values are fixed; AWS's managed rule reads them as `strict`.
    /// `removeConditional` changes no verdict.
    ///
    /// ## Remediation
    /// L2: one `sqs:SetQueueAttributes` puts the policy without the public statements; the text of all other statements stays.
    /// If no statement is left, it removes the policy.
    /// What may break: producers and consumers that rely on a removed statement, including AWS services that use it.
    /// It is planned and never applied if a public statement has a condition, unless `removeConditional` is set, and if the policy names a deleted principal, since SQS refuses such a policy.
    /// SQS has no conditional write, so a change in the milliseconds between the last live read and the call is overwritten.
    /// A change takes up to 60 seconds to take effect; until then the attempt is pending.
    /// Undo puts the previous policy back, and so opens the queue again.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/sqs-queue-no-public-access.html)
    /// - [Security Hub SQS.3](https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html#sqs-3)
    /// - [Policies of queues](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-using-identity-based-policies.html)
    /// - [SetQueueAttributes](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html)
    pub SQS_QUEUE_NO_PUBLIC_ACCESS: PublicPolicy<Queue> = PUBLIC_POLICY {
        id: "sqs-queue-no-public-access",
        title: "Queue can be used by everyone",
        severity: Critical,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["SQS.3"],
        },
    }
}

const PUBLIC_POLICY: PublicPolicy<Queue> = PublicPolicy {
    kind: ResourceKind::PLAIN,
    arn: |queue| &queue.arn,
    get: |queue| queue.policy.as_ref(),
    set: |queue, policy| queue.policy = policy,
    not_judged: |_| None,
    // An empty text removes the policy.
    edit: Edit::Replace { put: SET.member("Policy"), empty: |_| String::new() },
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
    use crate::resources::queue::tests::{ARN, URL, queue};

    fn of(statements: &Value) -> Queue {
        queue(Some(&json!({"Statement": statements}).to_string()))
    }

    fn open(action: &str, condition: &Value) -> Value {
        json!({"Effect": "Allow", "Principal": "*", "Action": action, "Resource": ARN, "Condition": condition})
    }

    #[test]
    fn cases() {
        let source = |account: &str| {
            let topic = format!("arn:aws:sns:eu-west-1:{account}:orders");
            open("SQS:SendMessage", &json!({"ArnEquals": {"aws:SourceArn": topic}}))
        };
        let network = open("SQS:*", &json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}));
        let case = |subject: Queue| Cases::of(&PUBLIC_POLICY, subject);
        case(queue(None)).case("no policy", |_| ()).compliant();
        case(of(&source("111122223333"))).case("sqs-queue-no-public-access/1", |_| ()).compliant();
        case(of(&source("444455556666"))).case("sqs-queue-no-public-access/2", |_| ()).compliant();
        let public = "Statement 0 lets everyone call SQS:*";
        let everything = of(&json!([open("SQS:*", &json!({}))]));
        case(everything).case("sqs-queue-no-public-access/3", |_| ()).non_compliant(public);
        case(of(&network)).case("sqs-queue-no-public-access/4", |_| ()).non_compliant(public);
    }

    #[test]
    fn the_public_statements_go_in_one_write_and_the_others_stay() {
        let put = |text: &str| format!("L2 SetQueueAttributes {}", json!({"Policy": text, "QueueUrl": URL}));
        let kept = |statements: &[Value]| put(&json!({"Statement": statements}).to_string());
        let owner = json!({"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "SQS:*",
                           "Resource": ARN});
        let public = open("SQS:SendMessage", &json!({}));
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!([public, owner])));
        let found = "Statement 0 lets everyone call SQS:SendMessage";
        cases
            .case("sqs-queue-no-public-access/7", |_| ())
            .non_compliant(found)
            .planned(&[&kept(std::slice::from_ref(&owner))]);

        let mut ten = vec![owner.clone(); 8];
        ten.insert(3, public.clone());
        ten.insert(9, public.clone());
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!(ten)));
        cases
            .case("sqs-queue-no-public-access/8", |_| ())
            .non_compliant("Statements 3, 9 let everyone call SQS:SendMessage")
            .planned(&[&kept(&vec![owner; 8])]);
        let cases = Cases::of(&PUBLIC_POLICY, of(&public));
        cases.case("none is left", |_| ()).non_compliant(found).planned(&[&put("")]);
    }

    #[test]
    fn undo_is_refused_where_the_policy_changed_meanwhile() {
        let before = of(&json!([open("SQS:*", &json!({}))]));
        let plan = PUBLIC_POLICY.plan(&before, &PolicyParameters::default(), rectify_testing::NOW);
        let done: Vec<SetCall> = plan.calls().into_iter().cloned().collect();
        let after = PUBLIC_POLICY.predict(before.clone(), &done[0]);
        let meanwhile = of(&json!({"Effect": "Deny", "Principal": "*", "Action": "SQS:*", "Resource": ARN}));
        let touched = |it: &Queue| PUBLIC_POLICY.touched_fields(it, &done);
        assert_eq!(after, queue(None));
        assert_ne!(touched(&after), touched(&meanwhile), "sqs-queue-no-public-access/9");
        let undo = PUBLIC_POLICY.undo(&before, &done).unwrap();
        assert_eq!(PUBLIC_POLICY.predict(after, &undo[0]), before);
    }

    #[test]
    fn laws() {
        let subjects = policies("SQS:*", ARN).prop_map(|it| (queue(it.as_deref()), PolicyParameters::default()));
        Laws::of(&PUBLIC_POLICY, &["/policy"], Remediation::predict).restores_full_state().hold(subjects);
    }
}
