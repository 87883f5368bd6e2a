//! The queue of tickets. It decides nothing.

use rectify_compliance::ShapeError;
use rectify_compliance::finding::Ticket;
use rectify_runtime::AwsError;

use super::SdkConfig;

/// The SQS FIFO queue that receives tickets.
#[derive(Debug, Clone)]
pub struct Tickets {
    sqs: aws_sdk_sqs::Client,
    queue: String,
}

impl Tickets {
    /// The queue with this URL.
    pub fn new(sdk: &SdkConfig, queue: impl Into<String>) -> Self {
        Self { sqs: aws_sdk_sqs::Client::new(sdk), queue: queue.into() }
    }

    /// Sends a ticket. Its finding is the group, whose messages SQS delivers in order; finding and version are the
    /// deduplication id, with which SQS accepts a message once in five minutes.
    ///
    /// # Errors
    /// [`AwsError`] when it was not accepted.
    pub async fn put(&self, ticket: &Ticket) -> Result<(), AwsError> {
        let body = ticket.json().map_err(|error| ShapeError::new("ticket", "JSON", error))?;
        let sent = self
            .sqs
            .send_message()
            .queue_url(&self.queue)
            .message_group_id(&ticket.id)
            .message_deduplication_id(format!("{}-{}", ticket.id, ticket.version))
            .message_body(body)
            .send()
            .await;
        sent.map(drop).map_err(|error| AwsError::call("sqs:SendMessage", &error))
    }
}
