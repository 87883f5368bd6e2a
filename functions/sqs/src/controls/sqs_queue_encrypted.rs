//! `sqs-queue-encrypted`: messages of a queue are stored unencrypted.

use rectify_compliance::{Level, NoParameters, Setting, control};

use crate::resources::queue::{Queue, SET, SSE, TYPE};

control! {
    /// ## What it checks
    /// That a queue has server-side encryption, by a KMS key (`KmsMasterKeyId`) or by keys of SQS (`SqsManagedSseEnabled`).
    /// Either is enough; an item without both attributes is a finding.
    ///
    /// ## Why it matters
    /// Messages wait on disk for up to 14 days, often with personal data that the stores at both ends encrypt.
    ///
    /// ## Compliant example
    /// ```json
    /// {"QueueArn": "arn:${AWS::Partition}:sqs:eu-west-1:111122223333:jobs", "SqsManagedSseEnabled": "true"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"QueueArn": "arn:${AWS::Partition}:sqs:eu-west-1:111122223333:jobs", "SqsManagedSseEnabled": "false"}
    /// ```
    ///
    /// ## Parameters
    /// None.
    ///
    /// ## Remediation
    /// L1: `sqs:SetQueueAttributes` with `SqsManagedSseEnabled` true, and nothing else.
    /// What changes: SQS encrypts messages that are sent from then on with its own keys, at no cost; no key policy is involved, so producers and consumers are not affected.
    /// It never sets a KMS key, which producers and AWS services would need permissions for.
    /// SQS has no conditional write, so milliseconds pass between the last read and the write; the call sends only this attribute.
    /// A change takes up to 60 seconds to take effect; until then the attempt is pending.
    /// Undo sets the attribute to false, and is refused where it was changed meanwhile.
    ///
    /// ## References
    /// - [Security Hub SQS.1](https://docs.aws.amazon.com/securityhub/latest/userguide/sqs-controls.html#sqs-1)
    /// - [Encryption at rest in SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html)
    /// - [SetQueueAttributes](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html)
    pub SQS_QUEUE_ENCRYPTED: Setting<Queue, bool, NoParameters> = SETTING {
        id: "sqs-queue-encrypted",
        title: "Queue is not encrypted at rest",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L1,
        frameworks: {
            Fsbp: ["SQS.1"],
            Nist80053r5: ["CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"],
        },
    }
}

const SETTING: Setting<Queue, bool, NoParameters> = Setting {
    field: "sqsManagedSse",
    get: |queue| queue.sqs_managed_sse,
    set: |queue, on| queue.sqs_managed_sse = on,
    not_judged: |_, _| None,
    violation: |queue, _| {
        let is_encrypted = queue.sqs_managed_sse || queue.kms_key.is_some();
        (!is_encrypted).then(|| (format!("Queue {} has no server-side encryption", queue.name()), true))
    },
    call: SET.member(SSE),
    level: Level::L1,
    blocked: |_| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Remediation, Resource};
    use rectify_testing::{Cases, Laws};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::queue::tests::{ARN, URL, item, queue};

    const FOUND: &str = "Queue jobs has no server-side encryption";

    #[test]
    fn cases() {
        let recorded = |attributes: Value| {
            let mut configuration = json!({"QueueArn": ARN});
            configuration.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
            Queue::from_item(&item(URL, &configuration)).unwrap()
        };
        let put = format!(r#"L1 SetQueueAttributes {{"QueueUrl":"{URL}","SqsManagedSseEnabled":true}}"#);
        let case = |attributes: Value| Cases::of(&SETTING, recorded(attributes));
        case(json!({"SqsManagedSseEnabled": "false"}))
            .case("sqs-queue-encrypted/1", |_| ())
            .non_compliant(FOUND)
            .planned(&[&put]);
        case(json!({"SqsManagedSseEnabled": "true"})).case("sqs-queue-encrypted/2", |_| ()).compliant();
        let by_key = json!({"KmsMasterKeyId": "alias/jobs", "SqsManagedSseEnabled": "false"});
        case(by_key).case("sqs-queue-encrypted/3", |_| ()).compliant();
        case(json!({})).case("sqs-queue-encrypted/5", |_| ()).non_compliant(FOUND);
        case(json!({"KmsMasterKeyId": ""})).case("an empty key", |_| ()).non_compliant(FOUND);
        case(json!({"SqsManagedSseEnabled": true})).case("sqs-queue-encrypted/6", |_| ()).compliant();
        case(json!({"FifoQueue": "true"})).case("sqs-queue-encrypted/9", |_| ()).non_compliant(FOUND).planned(&[&put]);
    }

    #[test]
    fn the_fix_sets_no_kms_key() {
        let fixed = SETTING.predict(queue(None), &SET.member(SSE).of(URL, &true));
        assert_eq!(fixed, Queue { sqs_managed_sse: true, ..queue(None) }, "sqs-queue-encrypted/7");
        let plan = SETTING.plan(&queue(None), &NoParameters {}, rectify_testing::NOW);
        let [call] = plan.calls()[..] else { panic!("{plan:?}") };
        assert!(!call.input.contains_key("KmsMasterKeyId"), "sqs-queue-encrypted/8");
    }

    #[test]
    fn laws() {
        let queues = (any::<bool>(), prop::option::weighted(0.3, "[a-z]{1,4}"))
            .prop_map(|(sqs_managed_sse, kms_key)| Queue { sqs_managed_sse, kms_key, ..queue(None) });
        Laws::of(&SETTING, &["/sqsManagedSse"], Remediation::predict)
            .never(|before, after| before.sqs_managed_sse && !after.sqs_managed_sse)
            .hold((queues, Just(NoParameters {})));
    }
}
