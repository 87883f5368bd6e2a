//! Serializes calls that must not run concurrently in the emulator.
//!
//! moto 5.2.5 serves requests in threads and lacks some locks. Its SQS deletes a message by replacing the whole list
//! (`sqs/models.py`, `delete_message`), so a message that arrives at that moment is lost. Its DynamoDB rolls a refused
//! transaction back by restoring the whole table, which also reverts concurrent writes. AWS does neither.

use tokio::sync::{Mutex, MutexGuard};

use super::call::CallName;

/// Operations that add messages to queues or remove them. Receiving is left out: it may wait for a message.
const MESSAGES: [(&str, &str); 7] = [
    ("events", "PutEvents"),
    ("sqs", "DeleteMessage"),
    ("sqs", "DeleteMessageBatch"),
    ("sqs", "PurgeQueue"),
    ("sqs", "SendMessage"),
    ("sqs", "SendMessageBatch"),
    ("sns", "Publish"),
];

/// The locks, held while the emulator handles a call.
#[derive(Debug, Default)]
pub(super) struct SerializedCalls {
    messages: Mutex<()>,
    tables: Mutex<()>,
}

impl SerializedCalls {
    /// Waits until no conflicting call is running.
    pub(super) async fn lock_for(&self, call: &CallName) -> Option<MutexGuard<'_, ()>> {
        if call.service == "dynamodb" {
            return Some(self.tables.lock().await);
        }
        let moves_messages = MESSAGES.contains(&(call.service.as_str(), call.operation.as_str()));
        if moves_messages { Some(self.messages.lock().await) } else { None }
    }
}
