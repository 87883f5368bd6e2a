//! Queues of the template that invoke a function, as Lambda's event source mappings do.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Map, Value, json};

use super::{Bus, BusError, call};
use crate::wiring::{Mapping, Redrive};

/// A queue, and the function its messages invoke.
#[derive(Debug)]
pub(super) struct SqsEventSource {
    url: String,
    mapping: Mapping,
    /// Whether a message that fails again and again goes elsewhere at last.
    redriven: bool,
}

impl Bus {
    /// Invokes functions with what lies in their queues, until nothing is visible; the answer is how many messages were
    /// delivered. A failed one is visible again at once, if it goes to a dead-letter queue in the end. A delayed one is not
    /// waited for.
    ///
    /// # Errors
    /// A call the backend refuses.
    pub async fn feed(&self) -> Result<usize, BusError> {
        let all = self.fed.lock().await;
        let mut delivered = 0;
        for fed in all.iter() {
            loop {
                let messages = self.received(fed).await?;
                if messages.is_empty() {
                    break;
                }
                delivered += messages.len();
                self.deliver(fed, &messages).await?;
            }
        }
        Ok(delivered)
    }

    /// Whether any queue invokes a function.
    pub async fn feeds(&self) -> bool {
        !self.fed.lock().await.is_empty()
    }

    pub(super) async fn feed_from(&self, mappings: &[Mapping]) -> Result<(), BusError> {
        let mut all = Vec::new();
        for mapping in mappings {
            let asked = self.sqs.get_queue_url().queue_name(&mapping.queue).send().await;
            let url = asked.map_err(call("sqs:GetQueueUrl", &mapping.queue))?.queue_url.unwrap_or_default();
            let policy = QueueAttributeName::RedrivePolicy;
            let asked = self.sqs.get_queue_attributes().queue_url(&url).attribute_names(policy.clone()).send().await;
            let attributes = asked.map_err(call("sqs:GetQueueAttributes", &mapping.queue))?.attributes;
            let redriven = attributes.is_some_and(|all| all.contains_key(&policy));
            all.push(SqsEventSource { url, mapping: mapping.clone(), redriven });
        }
        *self.fed.lock().await = all;
        Ok(())
    }

    /// Creates a queue whose messages go to another one in the end.
    pub(super) async fn create_queue_before(&self, name: &str, redrive: &Redrive) -> Result<(), BusError> {
        let policy = json!({ "deadLetterTargetArn": redrive.arn, "maxReceiveCount": redrive.most }).to_string();
        let made = self.sqs.create_queue().queue_name(name).attributes(QueueAttributeName::RedrivePolicy, policy);
        made.send().await.map(drop).map_err(call("sqs:CreateQueue", name))
    }

    async fn received(&self, fed: &SqsEventSource) -> Result<Vec<Message>, BusError> {
        let most = i32::try_from(fed.mapping.batch.clamp(1, 10)).unwrap_or(10);
        let asked = self
            .sqs
            .receive_message()
            .queue_url(&fed.url)
            .max_number_of_messages(most)
            .wait_time_seconds(0)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        let answer = asked.map_err(call("sqs:ReceiveMessage", &fed.mapping.queue))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn deliver(&self, fed: &SqsEventSource, messages: &[Message]) -> Result<(), BusError> {
        let records: Vec<Value> = messages.iter().map(record).collect();
        let answer = self.host.invoke(&fed.mapping.function, &json!({ "Records": records })).await;
        let failed: Option<HashSet<String>> = match answer {
            Ok(answer) if fed.mapping.partial => failures(&answer),
            Ok(_) => Some(HashSet::new()),
            Err(_) => None,
        };
        for message in messages {
            let (id, receipt) = (message.message_id.clone().unwrap_or_default(), message.receipt_handle.clone());
            let has_failed = failed.as_ref().is_none_or(|failed| failed.contains(&id));
            if !has_failed {
                let done = self.sqs.delete_message().queue_url(&fed.url).set_receipt_handle(receipt);
                done.send().await.map_err(call("sqs:DeleteMessage", &fed.mapping.queue))?;
            } else if fed.redriven {
                let again = self.sqs.change_message_visibility().queue_url(&fed.url).set_receipt_handle(receipt);
                let again = again.visibility_timeout(0).send().await;
                again.map_err(call("sqs:ChangeMessageVisibility", &fed.mapping.queue))?;
            }
        }
        Ok(())
    }
}

/// The messages that an answer says have failed; all of them, `None`, where it cannot be read, as Lambda has it.
fn failures(answer: &Value) -> Option<HashSet<String>> {
    let Some(list) = answer.get("batchItemFailures").filter(|it| !it.is_null()) else { return Some(HashSet::new()) };
    let ids = list.as_array()?.iter().map(|it| it.get("itemIdentifier")?.as_str().map(str::to_owned));
    ids.collect()
}

/// A message as Lambda hands it to a function.
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
    fn an_answer_names_the_messages_that_failed_and_one_that_cannot_be_read_fails_all() {
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
