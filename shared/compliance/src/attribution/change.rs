//! One call that changed something, read from one CloudTrail record.

use serde_json::Value;

use super::{Actor, printable};
use crate::{ShapeError, Timestamp};

/// Prefixes of the names of read-only calls; used only for records without `readOnly` (versions before 1.01).
const READS: [&str; 9] = ["Get", "List", "Describe", "Lookup", "Head", "BatchGet", "Search", "Query", "Select"];

/// One call that changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When the call ended: `eventTime`, whole seconds.
    pub at: Timestamp,
    /// `eventID`, unique in CloudTrail.
    pub event_id: String,
    /// Service and operation, e.g. `ec2:AuthorizeSecurityGroupIngress`.
    pub call: String,
    /// Who made it.
    pub actor: Actor,
}

impl Change {
    /// Reads a record: the text of an event's `CloudTrailEvent`. `None` for a record of no change: a read-only call, a
    /// denied or failed call, a sign-in, an insight.
    ///
    /// # Errors
    /// [`ShapeError`] for a record without its call, its time or its caller.
    pub fn read(text: &str) -> Result<Option<Self>, ShapeError> {
        let record: Value = serde_json::from_str(text)
            .map_err(|error| ShapeError::new("CloudTrailEvent", "JSON", format!("{error}: {text}")))?;
        let version = member(&record, "eventVersion")?;
        if !version.starts_with("1.") {
            return Err(ShapeError::new("eventVersion", "1.x", version));
        }
        let name = member(&record, "eventName")?;
        if is_not_a_call(&record) || failed(&record)? || is_read_only(&record, &name)? {
            return Ok(None);
        }
        let source = member(&record, "eventSource")?;
        let at = member(&record, "eventTime")?;
        Ok(Some(Self {
            at: at.parse().map_err(|_| ShapeError::new("eventTime", "an instant in RFC 3339", &at))?,
            event_id: member(&record, "eventID")?,
            call: format!("{}:{name}", source.split('.').next().unwrap_or_default()),
            actor: Actor::read(&record)?,
        }))
    }
}

fn is_not_a_call(record: &Value) -> bool {
    let is = |member: &str, value: &str| record.get(member).and_then(Value::as_str) == Some(value);
    is("eventType", "AwsConsoleSignIn") || is("eventType", "AwsCloudTrailInsight") || is("eventCategory", "Insight")
}

/// Whether the call was denied or failed. A dry run counts as failed.
fn failed(record: &Value) -> Result<bool, ShapeError> {
    match record.get("errorCode") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(code)) => Ok(!code.is_empty()),
        Some(other) => Err(ShapeError::new("errorCode", "a string", other)),
    }
}

fn is_read_only(record: &Value, name: &str) -> Result<bool, ShapeError> {
    match record.get("readOnly") {
        Some(Value::Bool(read_only)) => Ok(*read_only),
        None | Some(Value::Null) => Ok(READS.iter().any(|verb| name.starts_with(verb))),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
        Some(other) => Err(ShapeError::new("readOnly", "true or false", other)),
    }
}

fn member(record: &Value, name: &'static str) -> Result<String, ShapeError> {
    let text = record.get(name).and_then(Value::as_str).and_then(printable);
    text.ok_or_else(|| match record.get(name) {
        None => ShapeError::missing(name, "a string"),
        Some(other) => ShapeError::new(name, "a string", other),
    })
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
