//! Calls that must not meet in the emulator, each let through alone.
//!
//! moto 5.2.5 serves requests in threads and does not lock everything it should. Its SQS takes a message out by replacing
//! the whole list (`sqs/models.py`, `delete_message`), so a message that arrives at that moment is lost; its DynamoDB
//! takes a refused transaction back by restoring the whole table, with whatever others wrote meanwhile. AWS does neither.

use tokio::sync::{Mutex, MutexGuard};

use super::call::CallName;

/// What adds messages to queues or takes them out. Receiving is not here: it may wait for a message.
const MESSAGES: [(&str, &str); 7] = [
    ("events", "PutEvents"),
    ("sqs", "DeleteMessage"),
    ("sqs", "DeleteMessageBatch"),
    ("sqs", "PurgeQueue"),
    ("sqs", "SendMessage"),
    ("sqs", "SendMessageBatch"),
    ("sns", "Publish"),
];

/// The turns; held while a call is with the emulator.
#[derive(Debug, Default)]
pub(super) struct SerializedCalls {
    messages: Mutex<()>,
    tables: Mutex<()>,
}

impl SerializedCalls {
    /// Waits until no call is under way that this one must not meet.
    pub(super) async fn take(&self, call: &CallName) -> Option<MutexGuard<'_, ()>> {
        if call.service == "dynamodb" {
            return Some(self.tables.lock().await);
        }
        let moves_messages = MESSAGES.contains(&(call.service.as_str(), call.operation.as_str()));
        if moves_messages { Some(self.messages.lock().await) } else { None }
    }
}
