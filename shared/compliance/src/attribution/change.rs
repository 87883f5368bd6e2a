//! One call that changed something, read from one record of CloudTrail.

use serde_json::Value;

use super::{Actor, printable};
use crate::{ShapeError, Timestamp};

/// What the names of calls begin with that read; asked only where a record does not say `readOnly` (versions before 1.01).
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
    /// Reads a record, the text in an event's `CloudTrailEvent`. `None` for what changed nothing: a call that only reads, one
    /// that was refused or failed, a sign-in, an insight.
    ///
    /// # Errors
    /// [`ShapeError`] for a record that does not say what happened, when, or by whom.
    pub fn read(text: &str) -> Result<Option<Self>, ShapeError> {
        let record: Value = serde_json::from_str(text)
            .map_err(|error| ShapeError::new("CloudTrailEvent", "JSON", format!("{error}: {text}")))?;
        let version = member(&record, "eventVersion")?;
        if !version.starts_with("1.") {
            return Err(ShapeError::new("eventVersion", "1.x", version));
        }
        let name = member(&record, "eventName")?;
        if is_no_call(&record) || failed(&record)? || reads(&record, &name)? {
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

fn is_no_call(record: &Value) -> bool {
    let is = |member: &str, value: &str| record.get(member).and_then(Value::as_str) == Some(value);
    is("eventType", "AwsConsoleSignIn") || is("eventType", "AwsCloudTrailInsight") || is("eventCategory", "Insight")
}

/// Whether the call was refused or failed; a dry run is a failure as well.
fn failed(record: &Value) -> Result<bool, ShapeError> {
    match record.get("errorCode") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(code)) => Ok(!code.is_empty()),
        Some(other) => Err(ShapeError::new("errorCode", "a text", other)),
    }
}

fn reads(record: &Value, name: &str) -> Result<bool, ShapeError> {
    match record.get("readOnly") {
        Some(Value::Bool(reads)) => Ok(*reads),
        None | Some(Value::Null) => Ok(READS.iter().any(|verb| name.starts_with(verb))),
        Some(Value::String(reads)) if reads == "true" || reads == "false" => Ok(reads == "true"),
        Some(other) => Err(ShapeError::new("readOnly", "true or false", other)),
    }
}

fn member(record: &Value, name: &'static str) -> Result<String, ShapeError> {
    let text = record.get(name).and_then(Value::as_str).and_then(printable);
    text.ok_or_else(|| match record.get(name) {
        None => ShapeError::missing(name, "a text"),
        Some(other) => ShapeError::new(name, "a text", other),
    })
}

#[cfg(test)]
#[path = "change_tests.rs"]
#[allow(clippy::indexing_slicing)]
mod tests;
