//! Topics and queues.

use super::{ANY, Absent, Answer, Kind, answer, property};
use crate::template::forms::{flag, policy, text};

const TOPIC_POLICY: &[&str] = &["sns-topic-no-public-access"];
const TOPIC_KEY: &[&str] = &["sns-encrypted-kms"];
const QUEUE_POLICY: &[&str] = &["sqs-queue-no-public-access"];
const QUEUE_KEY: &[&str] = &["sqs-queue-encrypted"];

pub(super) const KINDS: &[Kind] = &[
    Kind {
        template: "AWS::SNS::Topic",
        recorded: "AWS::SNS::Topic",
        is_global: false,
        // The policy of a new topic, which allows its owner alone.
        base: r#"{"configuration": {"Policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"SNS:Publish\",\"Resource\":\"{arn}\",\"Condition\":{\"StringEquals\":{\"AWS:SourceOwner\":\"{account}\"}}}]}"}}"#,
        controls: &[
            answer("sns-topic-no-public-access"),
            Answer { reads_with: &["kmsKeyIds", "acceptManagedKey"], ..answer("sns-encrypted-kms") },
        ],
        properties: &[
            property("/PolicyDocument", "/configuration/Policy", policy, Absent::Omitted, TOPIC_POLICY).referring(ANY),
            property("/KmsMasterKeyId", "/configuration/KmsMasterKeyId", text, Absent::Omitted, TOPIC_KEY)
                .referring(ANY),
        ],
    },
    Kind {
        template: "AWS::SQS::Queue",
        recorded: "AWS::SQS::Queue",
        is_global: false,
        base: r#"{"configuration": {"QueueArn": "{arn}"}}"#,
        controls: &[answer("sqs-queue-no-public-access"), answer("sqs-queue-encrypted")],
        properties: &[
            property("/PolicyDocument", "/configuration/Policy", policy, Absent::Omitted, QUEUE_POLICY).referring(ANY),
            property("/KmsMasterKeyId", "/configuration/KmsMasterKeyId", text, Absent::Omitted, QUEUE_KEY)
                .referring(ANY),
            property(
                "/SqsManagedSseEnabled",
                "/configuration/SqsManagedSseEnabled",
                flag,
                Absent::Is("true"),
                QUEUE_KEY,
            ),
        ],
    },
];
