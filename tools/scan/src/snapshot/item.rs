//! The text of an item as a [`ConfigurationItem`].
//!
//! Files have the shape of a notification. A response of `GetResourceConfigHistory` that was stored as a file has other
//! keys and strings for objects, and an export of the console has its keys with objects; both are brought to the first.

use rectify_compliance::{ConfigurationItem, ShapeError, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The keys of the API, with those of a notification.
const API_KEYS: [(&str, &str); 2] = [("accountId", "awsAccountId"), ("arn", "ARN")];

const CAPTURED: &str = "configurationItemCaptureTime";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    resource_type: Option<String>,
}

/// The type of an item, if it can be read; the rest is skipped.
pub(super) fn kind(text: &RawValue) -> Option<String> {
    serde_json::from_str::<Kind>(text.get()).ok()?.resource_type
}

/// The id of an item that is not read otherwise.
pub(super) fn id(text: &RawValue) -> Option<String> {
    let item: Value = serde_json::from_str(text.get()).ok()?;
    item.get("resourceId")?.as_str().map(str::to_owned)
}

/// Reads an item in any of the shapes.
///
/// # Errors
/// [`ShapeError`], as for [`ConfigurationItem::from_notification`].
pub(super) fn parse(text: &RawValue) -> Result<ConfigurationItem, ShapeError> {
    // A number out of range is valid JSON, but no `Value`.
    let value = serde_json::from_str(text.get())
        .map_err(|error| ShapeError::new("configurationItem", "a configuration item", error))?;
    of_value(value)
}

/// As [`parse`].
pub(crate) fn of_value(mut value: Value) -> Result<ConfigurationItem, ShapeError> {
    if let Value::Object(item) = &mut value {
        normalize(item)?;
    }
    ConfigurationItem::from_notification(&value)
}

fn normalize(item: &mut Map<String, Value>) -> Result<(), ShapeError> {
    for (api, notification) in API_KEYS {
        if !item.contains_key(notification)
            && let Some(value) = item.remove(api)
        {
            item.insert(notification.to_owned(), value);
        }
    }
    if let Some(Value::String(text)) = item.get("configuration") {
        // The API's form of "no configuration".
        let text = if text.is_empty() { "null" } else { text };
        let decoded =
            serde_json::from_str(text).map_err(|error| ShapeError::new("configuration", "JSON text", error))?;
        item.insert("configuration".to_owned(), decoded);
    }
    if let Some(Value::Number(seconds)) = item.get(CAPTURED) {
        let invalid = || ShapeError::new(CAPTURED, "seconds since 1970, or an RFC 3339 time", seconds);
        let milliseconds = (seconds.as_f64().ok_or_else(invalid)? * 1000.0).round();
        #[allow(clippy::cast_possible_truncation)] // A cast saturates, and what is out of range is refused next.
        let time = Timestamp::from_millisecond(milliseconds as i64).map_err(|_| invalid())?;
        item.insert(CAPTURED.to_owned(), Value::String(time.to_string()));
    }
    Ok(())
}
