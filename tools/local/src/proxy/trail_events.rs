//! CloudTrail events posted by an operator or a test, since nothing here writes any. The route exists in this proxy
//! only.
//!
//! `POST /_rectify/trail-events` accepts one event in the shape of `LookupEvents`' answer. `CloudTrailEvent`, the
//! record, may be an object; fields that the answer repeats from it (`EventId`, `EventName`, `EventSource`,
//! `EventTime`, `Username`, `ReadOnly`) are taken from it if they are missing. `Resources` is required: AWS derives it
//! by rules that it does not publish.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Shared;

/// The route; it is not a valid bucket name.
pub(super) const PATH: &str = "/_rectify/trail-events";

/// Stores a posted event.
pub(super) fn receive(shared: &Shared, method: &Method, body: &[u8]) -> Response<Body> {
    let (status, answer) = match (method, event(body)) {
        (&Method::POST, Ok(event)) => {
            shared.state().trail_events.push(event.clone());
            (StatusCode::CREATED, event)
        }
        (&Method::POST, Err(why)) => (StatusCode::BAD_REQUEST, json!({ "error": why })),
        _ => (StatusCode::METHOD_NOT_ALLOWED, json!({ "error": "expected POST" })),
    };
    let mut response = Response::new(Body::from(answer.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The event as in `LookupEvents`' answer.
pub(super) fn event(body: &[u8]) -> Result<Value, String> {
    let posted: Value = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let record: Value = match posted.get("CloudTrailEvent") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|error| format!("CloudTrailEvent: not JSON: {error}"))?
        }
        Some(record @ Value::Object(_)) => record.clone(),
        _ => return Err("CloudTrailEvent: expected a record".to_owned()),
    };
    let resources = posted.get("Resources").filter(|it| it.as_array().is_some_and(|all| all.iter().all(is_named)));
    let resources = resources.ok_or("Resources: expected a list of ResourceName and ResourceType")?;
    let of_record = |path: &str| record.pointer(path).cloned();
    let mut event = Map::new();
    for (member, path) in [
        ("EventId", "/eventID"),
        ("EventName", "/eventName"),
        ("EventSource", "/eventSource"),
        ("Username", "/userIdentity/userName"),
    ] {
        if let Some(value) = posted.get(member).cloned().or_else(|| of_record(path)) {
            event.insert(member.to_owned(), value);
        }
    }
    if let Some(Value::Bool(reads)) = of_record("/readOnly") {
        event.insert("ReadOnly".to_owned(), json!(reads.to_string()));
    }
    let at = posted.get("EventTime").cloned().or_else(|| of_record("/eventTime")).unwrap_or_default();
    event.insert("EventTime".to_owned(), json!(seconds(&at).ok_or("EventTime: expected epoch seconds or RFC 3339")?));
    event.insert("Resources".to_owned(), resources.clone());
    event.insert("CloudTrailEvent".to_owned(), json!(record.to_string()));
    Ok(Value::Object(event))
}

fn is_named(resource: &Value) -> bool {
    resource.get("ResourceName").is_some_and(Value::is_string)
}

/// Epoch seconds, or RFC 3339.
fn seconds(at: &Value) -> Option<f64> {
    let instant = |text: &str| text.parse::<Timestamp>().ok();
    at.as_f64().or_else(|| instant(at.as_str()?).map(|it| it.as_duration().as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_fields_are_taken_from_the_record() {
        let record = json!({"eventID": "e-1", "eventName": "OpenDoor", "eventSource": "door.amazonaws.com", "readOnly": false,
                            "eventTime": "2026-03-04T05:06:07Z", "userIdentity": {"type": "IAMUser", "userName": "jane"}});
        let resources = json!([{"ResourceName": "d-1", "ResourceType": "House::Door"}]);
        let posted = json!({"CloudTrailEvent": record, "Resources": resources});
        let expected = json!({
            "EventId": "e-1", "EventName": "OpenDoor", "EventSource": "door.amazonaws.com", "Username": "jane",
            "ReadOnly": "false", "EventTime": 1_772_600_767.0, "Resources": resources, "CloudTrailEvent": record.to_string()
        });
        assert_eq!(event(posted.to_string().as_bytes()), Ok(expected.clone()));
        assert_eq!(event(expected.to_string().as_bytes()), Ok(expected));
    }

    #[test]
    fn invalid_event_is_refused() {
        let resources = "Resources: expected a list of ResourceName and ResourceType";
        for (body, expected) in [
            (json!({}), "CloudTrailEvent: expected a record"),
            (json!({"CloudTrailEvent": {}}), resources),
            (json!({"CloudTrailEvent": {}, "Resources": [{}]}), resources),
            (json!({"CloudTrailEvent": {}, "Resources": []}), "EventTime: expected epoch seconds or RFC 3339"),
        ] {
            assert_eq!(event(body.to_string().as_bytes()), Err(expected.to_owned()), "{body}");
        }
    }
}
