//! Errors of AWS calls, without the SDK's types.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use rectify_compliance::ShapeError;

use crate::in_progress;

/// A failed AWS call, or an answer of unexpected shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer has an unexpected shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// One failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}: {message}")]
pub struct CallError {
    /// `service:Operation`, e.g. `ec2:DescribeSecurityGroupRules`.
    pub operation: &'static str,
    /// The error code from AWS, or why there is no answer: `Timeout`, `Dispatch`, `Response`.
    pub code: String,
    /// The message from AWS.
    pub message: String,
    /// The HTTP status; absent without an answer.
    pub status: Option<u16>,
    /// The kind of failure.
    pub kind: CallErrorKind,
}

impl CallError {
    /// A call that the service answered with an error; status and code decide the kind.
    pub fn answered(operation: &'static str, status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let kind = kind_of(&code, status);
        Self { operation, code, message: message.into(), status: Some(status), kind }
    }

    /// A call without a readable answer: whether it was applied is not known.
    pub fn unanswered(operation: &'static str, code: impl Into<String>, message: impl Into<String>) -> Self {
        let kind = CallErrorKind::Unavailable;
        Self { operation, code: code.into(), message: message.into(), status: None, kind }
    }

    /// A call that was never sent.
    fn unsent(operation: &'static str, message: &str) -> Self {
        let kind = CallErrorKind::Rejected;
        Self { operation, code: UNSENT.to_owned(), message: message.to_owned(), status: None, kind }
    }

    /// Whether the service did nothing, provided that only one request was sent: it answered with a status of 4xx and
    /// with none of the codes for an operation in progress.
    pub fn did_nothing(&self) -> bool {
        match self.status {
            Some(status) => (400..500).contains(&status) && !self.is_in_progress(),
            None => self.code == UNSENT,
        }
    }

    /// Whether the service reports an operation in progress on the resource, possibly this call.
    pub fn is_in_progress(&self) -> bool {
        in_progress::is(&self.code)
    }

    /// Whether a retry may succeed.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, CallErrorKind::Throttled | CallErrorKind::Unavailable) || self.is_in_progress()
    }
}

/// Why a request did not leave: the error of the connection with its innermost cause, e.g. a refused connection.
pub(crate) fn unsent(failure: &DispatchFailure) -> String {
    let Some(error) = failure.as_connector_error() else { return "not sent".to_owned() };
    let first: &dyn std::error::Error = error;
    let last = std::iter::successors(first.source(), |it| it.source()).last();
    last.map_or_else(|| error.to_string(), |last| format!("{error}: {last}"))
}

/// The code of a call that was never sent.
const UNSENT: &str = "Construction";

/// The kind of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    /// The role lacks the permission: a retry does not help.
    AccessDenied,
    /// Too many calls in the account.
    Throttled,
    /// No answer, or a temporary error of the service.
    Unavailable,
    /// The service rejected the call.
    Rejected,
}

const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "SlowDown",
];

const DENIED: [&str; 5] =
    ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "Forbidden"];

impl AwsError {
    /// The error of a failed SDK call of `operation`.
    pub fn call<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        Self::Call(match error {
            SdkError::ServiceError(inner) => {
                let code = inner.err().code().unwrap_or("Unknown");
                let message = inner.err().message().unwrap_or("no message");
                CallError::answered(operation, inner.raw().status().as_u16(), code, message)
            }
            SdkError::TimeoutError(_) => CallError::unanswered(operation, "Timeout", "no answer in time"),
            SdkError::DispatchFailure(failure) => CallError::unanswered(operation, "Dispatch", unsent(failure)),
            SdkError::ResponseError(_) => CallError::unanswered(operation, "Response", "an answer that cannot be read"),
            SdkError::ConstructionFailure(_) => CallError::unsent(operation, "the request could not be built"),
            _ => CallError::unanswered(operation, "Unknown", "an unknown failure"),
        })
    }

    /// The error code, if a call failed.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call(error) => Some(&error.code),
            Self::Shape(_) => None,
        }
    }

    /// Whether the call failed with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// The stable type for failed invocations and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Shape(_) => "UnexpectedShape",
            Self::Call(error) => match error.kind {
                CallErrorKind::AccessDenied => "AccessDenied",
                CallErrorKind::Throttled => "Throttled",
                CallErrorKind::Unavailable => "ServiceUnavailable",
                CallErrorKind::Rejected => "CallRejected",
            },
        }
    }

    /// Operation and code only: a message may be long, and may differ from call to call.
    pub fn brief(&self) -> String {
        match self {
            Self::Call(error) => format!("{}: {}", error.operation, error.code),
            Self::Shape(error) => error.to_string(),
        }
    }

    /// Whether a retry may succeed: the call was throttled or the service unavailable.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Call(error) => matches!(error.kind, CallErrorKind::Throttled | CallErrorKind::Unavailable),
            Self::Shape(_) => false,
        }
    }

    /// The kind of failure; `None` for an unexpected answer, which a retry does not fix.
    pub fn kind(&self) -> Option<CallErrorKind> {
        match self {
            Self::Call(error) => Some(error.kind),
            Self::Shape(_) => None,
        }
    }
}

/// A known code is more precise than the status; the status covers codes that only their service uses.
fn kind_of(code: &str, status: u16) -> CallErrorKind {
    if THROTTLED.contains(&code) || status == 429 {
        CallErrorKind::Throttled
    } else if status >= 500
        || code.starts_with("Internal")
        || code.starts_with("ServiceUnavailable")
        || code == "ServerException"
        || code == "Unavailable"
        || code.starts_with("RequestTimeout")
    {
        CallErrorKind::Unavailable
    } else if DENIED.contains(&code) || code.starts_with("AccessDenied") {
        CallErrorKind::AccessDenied
    } else {
        CallErrorKind::Rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_status_decide_the_kind() {
        for (code, status, kind) in [
            ("AccessDenied", 403, CallErrorKind::AccessDenied),
            ("AccessDeniedForOrganization", 400, CallErrorKind::AccessDenied),
            ("UnauthorizedOperation", 403, CallErrorKind::AccessDenied),
            ("RequestLimitExceeded", 503, CallErrorKind::Throttled),
            ("SlowDown", 503, CallErrorKind::Throttled),
            ("TooManyRequests", 429, CallErrorKind::Throttled),
            ("InternalError", 500, CallErrorKind::Unavailable),
            ("ServiceUnavailable", 503, CallErrorKind::Unavailable),
            // Codes that only their service uses.
            ("ServiceFailure", 500, CallErrorKind::Unavailable),
            ("KMSInternalException", 500, CallErrorKind::Unavailable),
            ("DependencyTimeoutException", 503, CallErrorKind::Unavailable),
            ("RequestTimeout", 400, CallErrorKind::Unavailable),
            ("NoSuchBucket", 404, CallErrorKind::Rejected),
        ] {
            assert_eq!(kind_of(code, status), kind, "{code} {status}");
        }
    }

    #[test]
    fn only_a_4xx_without_an_operation_in_progress_did_nothing() {
        for (code, status, nothing) in [
            ("AccessDenied", 403, true),
            ("Throttling", 400, true),
            ("InvalidParameterValue", 400, true),
            ("SlowDown", 503, false),
            ("ServiceFailure", 500, false),
            ("InvalidDBInstanceState", 400, false),
            ("OperationAborted", 409, false),
            ("ConcurrentModification", 409, false),
        ] {
            assert_eq!(CallError::answered("a:B", status, code, "").did_nothing(), nothing, "{code}");
        }
        assert!(!CallError::unanswered("a:B", "Timeout", "").did_nothing());
        assert!(CallError::unsent("a:B", "").did_nothing());
    }
}
