//! Rule events and configuration items, one per file, evaluated by every control of their type.
//!
//! The parameters of an event belong to one rule, so they are ignored: the scan has its own.

use rectify_compliance::rule_event::EvaluationMode;
use rectify_compliance::{ConfigurationItem, EventError, Message, RuleEvent, ShapeError, Tags};
use serde_json::{Map, Value, json};

use crate::Row;
use crate::judges::{Judges, place};
use crate::snapshot::{Judged, item};

/// In place of the token of an event that has none.
const TOKEN: &str = "TESTMODE";

const OVERSIZED: &str = "the item is too large for the event and is not in it: scan the live account, or a snapshot \
                         that has it";
const PROACTIVE: &str = "the event is of a resource before its deployment and has no recorded configuration";

/// What a file has.
enum Content {
    Item(ConfigurationItem),
    Event(RuleEvent),
}

/// Evaluates what a file has: a rule event as the function receives it, a notification of AWS Config, also in an
/// `EventBridge` event, or a configuration item in the shape of a notification, of the API or of the console.
///
/// # Errors
/// [`EventError`] if it is none of these, or is not about one resource.
pub fn judge(file: Value, judges: &Judges) -> Result<Judged, EventError> {
    let (item, mode) = match read(file)? {
        Content::Item(item) => (item, EvaluationMode::Detective),
        Content::Event(RuleEvent { message: Message::Change { item, .. }, mode, .. }) => (*item, mode),
        Content::Event(RuleEvent { message: Message::Oversized { summary, .. }, .. }) => {
            let item = ConfigurationItem {
                account: summary.target.account,
                region: summary.target.region,
                resource: summary.target.resource,
                name: summary.target.name,
                arn: summary.target.arn,
                status: summary.status,
                captured_at: summary.captured_at,
                configuration: Value::Null,
                supplementary: Map::new(),
                tags: Tags::new(),
                relationships: Vec::new(),
            };
            return Ok(judged(item, |item| judges.unscanned(item, OVERSIZED)));
        }
        Content::Event(RuleEvent { message: Message::Periodic { .. }, .. }) => {
            let expected = "an event about a resource, since a scheduled one is about none";
            return Err(ShapeError::new("messageType", expected, "a scheduled notification").into());
        }
    };
    Ok(match mode {
        EvaluationMode::Detective => judged(item, |item| judges.all_rows(item)),
        EvaluationMode::Proactive => judged(item, |item| judges.unscanned(item, PROACTIVE)),
    })
}

fn judged(item: ConfigurationItem, rows: impl FnOnce(&ConfigurationItem) -> Vec<Row>) -> Judged {
    Judged {
        position: 1,
        place: place(&item),
        rows: rows(&item),
        resource: item.resource,
        name: item.name,
        captured_at: item.captured_at,
        status: item.status,
    }
}

fn read(file: Value) -> Result<Content, EventError> {
    let is_notification = |value: &Value| value.get("messageType").is_some();
    let event = match file {
        Value::Object(mut event) if event.contains_key("invokingEvent") => {
            // A saved event may lack the token, which only AWS Config can use.
            event.entry("resultToken").or_insert_with(|| json!(TOKEN));
            Value::Object(event)
        }
        file if is_notification(&file) => json!({"invokingEvent": file.to_string(), "resultToken": TOKEN}),
        file if file.get("detail").is_some_and(is_notification) => {
            json!({"invokingEvent": file.get("detail").map(ToString::to_string), "resultToken": TOKEN})
        }
        item => return Ok(Content::Item(item::of_value(item)?)),
    };
    RuleEvent::parse(&event).map(Content::Event)
}

#[cfg(test)]
mod tests;
