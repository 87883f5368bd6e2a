//! The AWS errors that the proxy itself answers, in the protocol of the call.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::call::{CallName, Protocol};
use crate::iam::DeniedCall;

/// An AWS error.
#[derive(Debug, Clone)]
pub(super) struct AwsError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl AwsError {
    /// The error of a call that the backend does not implement. The status is 501 and not 500, so that no SDK retries
    /// it.
    pub(super) fn not_implemented(call: &CallName, why: &str) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplementedLocally",
            message: format!("{}:{}: {why}", call.service, call.operation),
        }
    }

    pub(super) fn throttle(call: &CallName) -> Self {
        let (status, code) = match call.protocol {
            Protocol::Ec2 => (StatusCode::SERVICE_UNAVAILABLE, "RequestLimitExceeded"),
            Protocol::S3 | Protocol::S3Control => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Protocol::Query => (StatusCode::BAD_REQUEST, "Throttling"),
            Protocol::Json => (StatusCode::BAD_REQUEST, "ThrottlingException"),
        };
        Self { status, code, message: "Rate exceeded (injected)".to_owned() }
    }

    pub(super) fn access_denied(call: &CallName, caller: &str) -> Self {
        let message =
            format!("User: {caller} is not authorized to perform: {}:{} (injected)", call.service, call.operation);
        Self::denied(call, message)
    }

    /// The error of a call that the caller's role does not allow.
    pub(super) fn not_authorized(call: &CallName, denied: &DeniedCall) -> Self {
        Self::denied(call, format!("User: {denied}"))
    }

    fn denied(call: &CallName, message: String) -> Self {
        let (status, code) = match call.protocol {
            Protocol::Ec2 => (StatusCode::FORBIDDEN, "UnauthorizedOperation"),
            Protocol::Json => (StatusCode::BAD_REQUEST, "AccessDeniedException"),
            Protocol::Query | Protocol::S3 | Protocol::S3Control => (StatusCode::FORBIDDEN, "AccessDenied"),
        };
        Self { status, code, message }
    }

    pub(super) fn internal(call: &CallName) -> Self {
        let code = match call.protocol {
            Protocol::Json => "InternalServerError",
            Protocol::Query | Protocol::Ec2 | Protocol::S3 | Protocol::S3Control => "InternalError",
        };
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code,
            message: "We encountered an internal error (injected)".to_owned(),
        }
    }

    pub(super) fn unreachable(call: &CallName, why: &str) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            code: "BackendUnreachable",
            message: format!("{}:{}: the local backend gave no answer: {why}", call.service, call.operation),
        }
    }

    /// The HTTP response in this protocol.
    pub(super) fn respond(&self, protocol: Protocol) -> Response<Body> {
        let request_id = crate::request_id::next();
        let (code, message) = (self.code, escaped(&self.message));
        let (content_type, body) = match protocol {
            Protocol::Json => {
                let body = serde_json::json!({ "__type": code, "message": self.message });
                ("application/x-amz-json-1.1", body.to_string())
            }
            Protocol::Query | Protocol::S3Control => {
                let kind = if self.status.is_server_error() { "Receiver" } else { "Sender" };
                let error =
                    format!("<Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>");
                ("text/xml", format!("<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"))
            }
            Protocol::Ec2 => {
                let error = format!("<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>");
                ("text/xml", format!("<Response>{error}<RequestID>{request_id}</RequestID></Response>"))
            }
            Protocol::S3 => {
                let error = format!("<Code>{code}</Code><Message>{message}</Message>");
                ("application/xml", format!("<Error>{error}<RequestId>{request_id}</RequestId></Error>"))
            }
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        response
    }
}

/// Escapes text for an XML element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a body is a web page, the answer of moto's web framework if moto does not implement the call. The content
/// type is no help, since moto also sends valid JSON as `text/html`.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body.iter().copied().skip_while(u8::is_ascii_whitespace).take(14).collect();
    let start = String::from_utf8_lossy(&start).to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn web_pages_are_recognized_by_their_body() {
        assert!(is_web_page(b"<!doctype html>\n<html lang=en>"));
        assert!(is_web_page(b"\n <HTML>"));
        assert!(!is_web_page(br#"{"FailedEntryCount": 0}"#));
        assert!(!is_web_page(b"<?xml version=\"1.0\"?><Error/>"));
        assert!(!is_web_page(b""));
    }

    #[test]
    fn xml_text_is_escaped() {
        assert_eq!(escaped("a<b> & c"), "a&lt;b&gt; &amp; c");
    }
}
