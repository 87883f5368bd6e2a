//! CloudTrail's `LookupEvents`, which moto does not have: the seeded events, filtered and paged as in AWS.

use serde_json::{Value, json};

use super::answer::AwsError;
use axum::http::StatusCode;

/// The default page size, and the largest that AWS allows.
const PAGE: usize = 50;

/// Answers a `LookupEvents` request from the seeded events, newest first.
///
/// # Errors
/// The request is not JSON, has more than one attribute, an unknown attribute, a page size outside 1..=50, or a token
/// that is not a number.
pub(super) fn answer(events: &[Value], request: &[u8]) -> Result<Value, AwsError> {
    let request: Value = if request.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(request).map_err(|error| refused("SerializationException", &error.to_string()))?
    };
    let attributes = match request.get("LookupAttributes").and_then(Value::as_array).map(Vec::as_slice) {
        None | Some([]) => None,
        Some([one]) => Some((text(one, "AttributeKey"), text(one, "AttributeValue"))),
        Some(_) => {
            return Err(refused("InvalidLookupAttributesException", "only one lookup attribute can be specified"));
        }
    };
    if let Some((key, _)) = attributes
        && !ATTRIBUTES.contains(&key)
    {
        return Err(refused("InvalidLookupAttributesException", &format!("`{key}` is not a lookup attribute")));
    }
    let size = match request.get("MaxResults").and_then(Value::as_u64) {
        None => PAGE,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| (1..=PAGE).contains(size))
            .ok_or_else(|| refused("InvalidMaxResultsException", "must be from 1 to 50"))?,
    };
    let start = match request.get("NextToken").and_then(Value::as_str) {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| refused("InvalidNextTokenException", "unknown token"))?,
    };

    let mut found: Vec<&Value> = events
        .iter()
        .filter(|event| in_window(event, &request) && attributes.is_none_or(|(key, value)| has(event, key, value)))
        .collect();
    found.sort_by(|a, b| time(b).total_cmp(&time(a)));
    let page: Vec<&Value> = found.iter().skip(start).take(size).copied().collect();
    let next = start + page.len();
    let mut answer = json!({ "Events": page });
    if next < found.len()
        && let Some(fields) = answer.as_object_mut()
    {
        fields.insert("NextToken".to_owned(), json!(next.to_string()));
    }
    Ok(answer)
}

const ATTRIBUTES: &[&str] =
    &["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

fn has(event: &Value, key: &str, value: &str) -> bool {
    let of_resource = |field: &str| {
        event
            .get("Resources")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|it| text(it, field) == value))
    };
    match key {
        "ResourceType" | "ResourceName" => of_resource(key),
        _ => text(event, key) == value,
    }
}

/// Times are epoch seconds in events and requests; an event without a time is in every window.
fn in_window(event: &Value, request: &Value) -> bool {
    let Some(at) = event.get("EventTime").and_then(Value::as_f64) else { return true };
    let bound = |name: &str| request.get(name).and_then(Value::as_f64);
    bound("StartTime").is_none_or(|start| at >= start) && bound("EndTime").is_none_or(|end| at <= end)
}

fn time(event: &Value) -> f64 {
    event.get("EventTime").and_then(Value::as_f64).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn refused(code: &'static str, why: &str) -> AwsError {
    AwsError { status: StatusCode::BAD_REQUEST, code, message: format!("LookupEvents: {why}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn events() -> Vec<Value> {
        (1..=3).map(|second| json!({ "EventId": format!("e{second}"), "EventTime": f64::from(second), "Resources": [{ "ResourceName": format!("sg-{}", second % 2) }] })).collect()
    }

    fn ids(answer: &Value) -> Vec<&str> {
        answer["Events"].as_array().unwrap().iter().map(|event| event["EventId"].as_str().unwrap()).collect()
    }

    fn look_up(request: &Value) -> Result<Value, AwsError> {
        answer(&events(), request.to_string().as_bytes())
    }

    #[test]
    fn events_are_paged_newest_first() {
        let first = look_up(&json!({ "MaxResults": 2 })).unwrap();
        assert_eq!(ids(&first), ["e3", "e2"]);
        let rest = look_up(&json!({ "MaxResults": 2, "NextToken": first["NextToken"] })).unwrap();
        assert_eq!(rest, json!({ "Events": [events()[0]] }));
    }

    #[test]
    fn events_are_filtered_by_resource_and_time() {
        let about_group =
            look_up(&json!({ "LookupAttributes": [{ "AttributeKey": "ResourceName", "AttributeValue": "sg-1" }] }))
                .unwrap();
        assert_eq!(ids(&about_group), ["e3", "e1"]);
        assert_eq!(ids(&look_up(&json!({ "StartTime": 2.0, "EndTime": 2.5 })).unwrap()), ["e2"]);
    }

    #[test]
    fn invalid_requests_are_refused() {
        let codes = [
            json!({ "MaxResults": 51 }),
            json!({ "NextToken": "x" }),
            json!({ "LookupAttributes": [{ "AttributeKey": "Color" }] }),
        ]
        .map(|request| look_up(&request).unwrap_err().code);
        assert_eq!(
            codes,
            ["InvalidMaxResultsException", "InvalidNextTokenException", "InvalidLookupAttributesException"]
        );
    }
}
