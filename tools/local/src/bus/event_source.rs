//! The template's event source mappings: SQS queues whose messages invoke a function.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Map, Value, json};

use super::{Bus, BusError, call};
use crate::stack::{Mapping, Redrive};

/// A queue and the mapping to the function that its messages invoke.
#[derive(Debug)]
pub(super) struct SqsEventSource {
    url: String,
    mapping: Mapping,
    /// Whether the queue has a dead-letter queue.
    has_redrive: bool,
}

impl Bus {
    /// Invokes functions with the messages of their queues until no message is visible, and returns the number of
    /// messages delivered. A failed message becomes visible again at once if the queue has a dead-letter queue. Delayed
    /// messages are not waited for.
    ///
    /// # Errors
    /// A call that the backend refuses.
    pub async fn poll_event_sources(&self) -> Result<usize, BusError> {
        let all = self.sources.lock().await;
        let mut delivered = 0;
        for source in all.iter() {
            loop {
                let messages = self.receive(source).await?;
                if messages.is_empty() {
                    break;
                }
                delivered += messages.len();
                self.deliver(source, &messages).await?;
            }
        }
        Ok(delivered)
    }

    /// Whether any queue invokes a function.
    pub async fn has_event_sources(&self) -> bool {
        !self.sources.lock().await.is_empty()
    }

    pub(super) async fn create_event_sources(&self, mappings: &[Mapping]) -> Result<(), BusError> {
        let mut all = Vec::new();
        for mapping in mappings {
            let answer = self.sqs.get_queue_url().queue_name(&mapping.queue).send().await;
            let url = answer.map_err(call("sqs:GetQueueUrl", &mapping.queue))?.queue_url.unwrap_or_default();
            let policy = QueueAttributeName::RedrivePolicy;
            let answer = self.sqs.get_queue_attributes().queue_url(&url).attribute_names(policy.clone()).send().await;
            let attributes = answer.map_err(call("sqs:GetQueueAttributes", &mapping.queue))?.attributes;
            let has_redrive = attributes.is_some_and(|all| all.contains_key(&policy));
            all.push(SqsEventSource { url, mapping: mapping.clone(), has_redrive });
        }
        *self.sources.lock().await = all;
        Ok(())
    }

    /// Creates a queue with a dead-letter queue.
    pub(super) async fn create_queue_with_redrive(&self, name: &str, redrive: &Redrive) -> Result<(), BusError> {
        let policy = json!({ "deadLetterTargetArn": redrive.arn, "maxReceiveCount": redrive.most }).to_string();
        let create = self.sqs.create_queue().queue_name(name).attributes(QueueAttributeName::RedrivePolicy, policy);
        create.send().await.map(drop).map_err(call("sqs:CreateQueue", name))
    }

    async fn receive(&self, source: &SqsEventSource) -> Result<Vec<Message>, BusError> {
        let batch_size = i32::try_from(source.mapping.batch.clamp(1, 10)).unwrap_or(10);
        let answer = self
            .sqs
            .receive_message()
            .queue_url(&source.url)
            .max_number_of_messages(batch_size)
            .wait_time_seconds(0)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        let answer = answer.map_err(call("sqs:ReceiveMessage", &source.mapping.queue))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn deliver(&self, source: &SqsEventSource, messages: &[Message]) -> Result<(), BusError> {
        let records: Vec<Value> = messages.iter().map(record).collect();
        let answer = self.host.invoke(&source.mapping.function, &json!({ "Records": records })).await;
        let failed: Option<HashSet<String>> = match answer {
            Ok(answer) if source.mapping.partial => failures(&answer),
            Ok(_) => Some(HashSet::new()),
            Err(_) => None,
        };
        for message in messages {
            let (id, receipt) = (message.message_id.clone().unwrap_or_default(), message.receipt_handle.clone());
            let has_failed = failed.as_ref().is_none_or(|failed| failed.contains(&id));
            if !has_failed {
                let done = self.sqs.delete_message().queue_url(&source.url).set_receipt_handle(receipt);
                done.send().await.map_err(call("sqs:DeleteMessage", &source.mapping.queue))?;
            } else if source.has_redrive {
                let again = self.sqs.change_message_visibility().queue_url(&source.url).set_receipt_handle(receipt);
                let again = again.visibility_timeout(0).send().await;
                again.map_err(call("sqs:ChangeMessageVisibility", &source.mapping.queue))?;
            }
        }
        Ok(())
    }
}

/// The ids of the failed messages in an answer. `None` if it cannot be read: then all of them failed, as in Lambda.
fn failures(answer: &Value) -> Option<HashSet<String>> {
    let Some(list) = answer.get("batchItemFailures").filter(|it| !it.is_null()) else { return Some(HashSet::new()) };
    let ids = list.as_array()?.iter().map(|it| it.get("itemIdentifier")?.as_str().map(str::to_owned));
    ids.collect()
}

/// A message as a record of Lambda's SQS event.
fn record(message: &Message) -> Value {
    let attributes: Map<String, Value> = message
        .message_attributes
        .iter()
        .flatten()
        .map(|(name, it)| (name.clone(), json!({ "dataType": it.data_type(), "stringValue": it.string_value() })))
        .collect();
    let system: BTreeMap<&str, &str> =
        message.attributes.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": system,
        "messageAttributes": attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_messages_are_read_and_an_unreadable_answer_fails_all() {
        let ids = |ids: &[&str]| Some(ids.iter().map(|it| (*it).to_owned()).collect::<HashSet<String>>());
        for (answer, expected) in [
            (json!({"batchItemFailures": [{"itemIdentifier": "a"}]}), ids(&["a"])),
            (json!({"batchItemFailures": []}), ids(&[])),
            (json!({"batchItemFailures": null}), ids(&[])),
            (json!(null), ids(&[])),
            (json!({"batchItemFailures": [{"itemIdentifier": 7}]}), None),
            (json!({"batchItemFailures": "a"}), None),
        ] {
            assert_eq!(failures(&answer), expected, "{answer}");
        }
    }
}
