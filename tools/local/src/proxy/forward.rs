//! Handles one call: names it, authorizes it, injects faults, forwards it, and corrects its answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;

use super::answer::{AwsError, is_web_page};
use super::call::CallName;
use super::fault::FaultKind;
use super::{Shared, fault, lookup, rpc, trail_events, xml_roots};
use crate::iam::request;

/// The maximum size of a body in bytes: larger than any test's upload, small enough for memory.
const BODY_LIMIT: usize = 256 * 1024 * 1024;

/// Headers of one connection rather than of the message (RFC 9110, 7.6.1), and those that the next hop sets itself.
const HOP_HEADERS: &[header::HeaderName] = &[
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::CONTENT_LENGTH,
];

/// The response to the caller, and what is recorded about it.
struct Outcome {
    response: Response<Body>,
    status: u16,
    note: Option<String>,
}

impl From<Response<Body>> for Outcome {
    fn from(response: Response<Body>) -> Self {
        Self { status: response.status().as_u16(), response, note: None }
    }
}

pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let at = Timestamp::now();
    let (head, body) = request.into_parts();
    let body = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => body,
        Err(unread) => {
            let call = CallName::of(&head, &[]);
            let error = AwsError {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                code: "EntityTooLarge",
                message: format!("body: {unread}"),
            };
            return error.respond(call.protocol);
        }
    };
    if head.uri.path() == trail_events::PATH {
        return trail_events::receive(&shared, &head.method, &body);
    }
    match rpc::translated(&head, &body) {
        Some((head, body)) => rpc::translated_back(handle_call(&shared, at, &head, body).await, BODY_LIMIT).await,
        None => handle_call(&shared, at, &head, body).await,
    }
}

async fn handle_call(shared: &Shared, at: Timestamp, head: &Parts, body: Bytes) -> Response<Body> {
    let call = CallName::of(head, &body);
    let requests = request::requests(&call, head, &body, &shared.settings.place);
    let (caller, denied, fault) = {
        let mut state = shared.state();
        let caller = state.callers.get(&call.access_key).cloned().unwrap_or_else(|| call.access_key.clone());
        let denied = state.authorizer.denial(&caller, requests);
        let fault = fault::take(&mut state.faults, &call.service, &call.operation, &caller);
        (caller, denied, fault)
    };
    let outcome = match (denied, fault) {
        (Some(denied), _) => {
            let mut outcome = Outcome::from(AwsError::not_authorized(&call, &denied).respond(call.protocol));
            outcome.note = Some(format!("denied: {denied}"));
            outcome
        }
        (None, None) => forward(shared, head, body, &call).await,
        (None, Some(kind)) => inject(shared, head, body, &call, &caller, kind).await,
    };
    shared.record(at, caller, &call, outcome.status, outcome.note);
    outcome.response
}

async fn inject(shared: &Shared, head: &Parts, body: Bytes, call: &CallName, caller: &str, kind: FaultKind) -> Outcome {
    let refuse = |error: AwsError| Outcome::from(error.respond(call.protocol));
    let mut outcome = match kind {
        FaultKind::Throttle => refuse(AwsError::throttle(call)),
        FaultKind::AccessDenied => refuse(AwsError::access_denied(call, caller)),
        FaultKind::Http500 => refuse(AwsError::internal(call)),
        FaultKind::Delay(by) => {
            tokio::time::sleep(by).await;
            forward(shared, head, body, call).await
        }
        FaultKind::AnswerLate(by) => {
            let applied = forward(shared, head, body, call).await;
            tokio::time::sleep(by).await;
            applied
        }
        FaultKind::TimeoutAfterApply => {
            let applied = forward(shared, head, body, call).await;
            return Outcome {
                response: broken(),
                status: 0,
                note: Some(format!("injected: answer {} dropped", applied.status)),
            };
        }
    };
    outcome.note = Some(format!("injected: {kind:?}"));
    outcome
}

/// A response whose body fails before its first byte, so that the server closes the connection mid-message.
fn broken() -> Response<Body> {
    let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let mut response = Response::new(Body::from_stream(futures_util::stream::iter([Err::<Bytes, _>(cut)])));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("4096"));
    response
}

async fn forward(shared: &Shared, head: &Parts, body: Bytes, call: &CallName) -> Outcome {
    if (call.service.as_str(), call.operation.as_str()) == ("cloudtrail", "LookupEvents") {
        return look_up(shared, call, &body);
    }
    let upstream = shared.settings.upstreams.get(&call.service).unwrap_or(&shared.settings.backend);
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut headers = message_headers(&head.headers);
    if body.is_empty() && [Method::PUT, Method::POST].contains(&head.method) {
        // The client omits the length of an empty body, and moto requires it (`PutBucketAcl` with headers only).
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let lock = shared.serialized.lock_for(call).await;
    let sent =
        shared.http.request(head.method.clone(), format!("{upstream}{path}")).headers(headers).body(body).send().await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return AwsError::unreachable(call, &error.to_string()).respond(call.protocol).into(),
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = match answer.bytes().await {
        Ok(body) => body,
        Err(error) => return AwsError::unreachable(call, &error.to_string()).respond(call.protocol).into(),
    };
    drop(lock);
    if !status.is_success() && is_web_page(&body) {
        return web_page(shared, call, status);
    }
    if status.is_success() && call.operation == "PutEvents" {
        shared.put_events.send_modify(|count| *count += 1);
    }
    let (body, note) = substitute(shared, call, status, body);
    let mut outcome = Outcome::from(rebuilt(&head.method, status, &headers, body));
    outcome.note = note;
    outcome
}

/// moto's web framework answers if moto does not implement the call or its code failed; its log says which.
fn web_page(shared: &Shared, call: &CallName, status: StatusCode) -> Outcome {
    let note = shared.substituted(call, "error NotImplementedLocally for a web page");
    let why = format!(
        "the local backend (moto) has no implementation of it, or failed: it answered with a web page, status {}",
        status.as_u16()
    );
    let mut outcome = Outcome::from(AwsError::not_implemented(call, &why).respond(call.protocol));
    outcome.note = Some(note);
    outcome
}

fn look_up(shared: &Shared, call: &CallName, body: &[u8]) -> Outcome {
    let answered = lookup::answer(&shared.state().trail_events, body);
    let mut outcome = Outcome::from(match answered {
        Ok(events) => {
            let mut response = Response::new(Body::from(events.to_string()));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
            response
        }
        Err(error) => error.respond(call.protocol),
    });
    outcome.note = Some(shared.substituted(call, "seeded events"));
    outcome
}

fn substitute(shared: &Shared, call: &CallName, status: StatusCode, body: Bytes) -> (Bytes, Option<String>) {
    let root_user = shared.state().root_user.clone();
    let is_summary = (call.service.as_str(), call.operation.as_str()) == ("iam", "GetAccountSummary");
    if !is_summary || !status.is_success() || root_user.is_empty() {
        return (xml_roots::put_right(&call.service, &call.operation, body), None);
    }
    match with_root_user(&body, &root_user) {
        Some(edited) => (edited, Some(shared.substituted(call, "root user's entries"))),
        None => (body, Some("root user: no summary in the backend's answer".to_owned())),
    }
}

/// Sets entries of the summary, adding missing ones; `None` if the answer has no summary.
fn with_root_user(body: &[u8], entries: &BTreeMap<&str, u32>) -> Option<Bytes> {
    let mut text = std::str::from_utf8(body).ok()?.to_owned();
    for (key, number) in entries {
        let key = format!("<key>{key}</key>");
        text = match text.split_once(&key) {
            Some((before, after)) => {
                let (space, value) = after.split_once("<value>").filter(|(space, _)| space.trim().is_empty())?;
                let (_, rest) = value.split_once("</value>")?;
                format!("{before}{key}{space}<value>{number}</value>{rest}")
            }
            None => {
                let (before, after) = text.split_once("</SummaryMap>")?;
                format!("{before}<entry>{key}<value>{number}</value></entry></SummaryMap>{after}")
            }
        };
    }
    Some(Bytes::from(text))
}

fn message_headers(all: &HeaderMap) -> HeaderMap {
    all.iter()
        .filter(|(name, _)| !HOP_HEADERS.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The backend's answer for the caller's connection. HEAD keeps its `Content-Length`, the size of GET's body.
fn rebuilt(method: &Method, status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in &message_headers(headers) {
        response.headers_mut().append(name, value.clone());
    }
    if *method == Method::HEAD
        && let Some(size) = headers.get(header::CONTENT_LENGTH)
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, size.clone());
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn root_user_entries_are_set_in_the_summary() {
        let body = "<SummaryMap><entry>\n<key>AccountAccessKeysPresent</key>\n<value>0</value></entry><entry><key>Users</key><value>4</value></entry></SummaryMap>";
        let edited = with_root_user(body.as_bytes(), &BTreeMap::from([("AccountAccessKeysPresent", 2)])).unwrap();
        assert_eq!(edited, body.replace("<value>0<", "<value>2<"));
        let edited = with_root_user(body.as_bytes(), &BTreeMap::from([("AccountPasswordPresent", 1)])).unwrap();
        let entry = "<entry><key>AccountPasswordPresent</key><value>1</value></entry></SummaryMap>";
        assert_eq!(edited, body.replace("</SummaryMap>", entry));
        assert_eq!(
            with_root_user(b"<key>Users</key><value>4</value>", &BTreeMap::from([("Users", 2)])),
            Some(Bytes::from("<key>Users</key><value>2</value>"))
        );
        assert_eq!(with_root_user(b"<Other/>", &BTreeMap::from([("AccountMFAEnabled", 1)])), None);
    }
}
