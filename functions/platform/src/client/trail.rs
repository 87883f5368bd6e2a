//! CloudTrail's event history, and the queue of findings to look up. It decides nothing.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_sdk_sqs::types::MessageAttributeValue;
use rectify_compliance::{Region, ShapeError, Timestamp};
use rectify_runtime::AwsError;

use super::SdkConfig;

/// The maximum number of events of one `LookupEvents` call.
pub const EVENTS_AT_ONCE: usize = 50;

/// CloudTrail in every region, and the queue in the function's own.
#[derive(Debug, Clone)]
pub struct Trail {
    sdk: SdkConfig,
    sqs: aws_sdk_sqs::Client,
}

/// A page of the events of a resource name, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<Recorded>,
    /// The token of the next page, if there is one.
    pub next: Option<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// The resources that CloudTrail found in the call: type and name.
    pub resources: Vec<(Option<String>, Option<String>)>,
    /// The record, as JSON.
    pub record: Option<String>,
}

impl Trail {
    /// With one SDK configuration.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { sdk: sdk.clone(), sqs: aws_sdk_sqs::Client::new(sdk) }
    }

    /// A page of the events of all resources with this name, between two instants.
    ///
    /// # Errors
    /// [`AwsError`]; CloudTrail allows two such calls a second per account and region.
    pub async fn page(
        &self,
        region: &Region,
        name: &str,
        (from, to): (Timestamp, Timestamp),
        next: Option<String>,
    ) -> Result<Page, AwsError> {
        let region = aws_types::region::Region::new(region.as_str().to_owned());
        let client = aws_sdk_cloudtrail::Client::new(&self.sdk.to_builder().region(region).build());
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::ResourceName)
            .attribute_value(name)
            .build()
            .map_err(|error| ShapeError::new("LookupAttributes", "a name", error))?;
        let result = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(aws_sdk_cloudtrail::primitives::DateTime::from_secs(from.as_second()))
            .end_time(aws_sdk_cloudtrail::primitives::DateTime::from_secs(to.as_second()))
            .max_results(i32::try_from(EVENTS_AT_ONCE).unwrap_or(i32::MAX))
            .set_next_token(next)
            .send()
            .await;
        let answer = result.map_err(|error| AwsError::call("cloudtrail:LookupEvents", &error))?;
        let events = answer.events.unwrap_or_default().into_iter().map(recorded).collect();
        Ok(Page { events, next: answer.next_token.filter(|token| !token.is_empty()) })
    }

    /// Sends a message with one attribute to a queue, delayed by up to 900 seconds.
    ///
    /// # Errors
    /// [`AwsError`] when it was not accepted.
    pub async fn delay(
        &self,
        queue: &str,
        body: &str,
        (name, value): (&str, &str),
        seconds: u32,
    ) -> Result<(), AwsError> {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let value = value.map_err(|error| ShapeError::new("attribute", "a text", error))?;
        let sent = self
            .sqs
            .send_message()
            .queue_url(queue)
            .message_body(body)
            .message_attributes(name, value)
            .delay_seconds(i32::try_from(seconds).unwrap_or(i32::MAX))
            .send()
            .await;
        sent.map(drop).map_err(|error| AwsError::call("sqs:SendMessage", &error))
    }
}

fn recorded(event: Event) -> Recorded {
    let resources = event.resources.unwrap_or_default().into_iter();
    Recorded {
        resources: resources.map(|it| (it.resource_type, it.resource_name)).collect(),
        record: event.cloud_trail_event,
    }
}
