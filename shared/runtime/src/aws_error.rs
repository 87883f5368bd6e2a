//! What an AWS call can come back with, without the SDK's types.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use rectify_compliance::ShapeError;

/// A failed AWS call, or an answer that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// The call itself.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// One failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {code}: {message}")]
pub struct CallError {
    /// `service:Operation`, e.g. `ec2:DescribeSecurityGroupRules`.
    pub operation: &'static str,
    /// The error code as AWS sent it, or what kept the answer away: `Timeout`, `Dispatch`, `Response`.
    pub code: String,
    /// The message as AWS sent it.
    pub message: String,
    /// What follows from it.
    pub kind: CallErrorKind,
}

/// What follows from a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallErrorKind {
    /// The role may not: trying again does not help.
    AccessDenied,
    /// Too many calls: the SDK's own retries are used up.
    Throttled,
    /// No answer, or one that says "later".
    Unavailable,
    /// The call was understood and refused.
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
    /// Names the operation a failed SDK call belongs to.
    pub fn call<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let (code, message, kind) = match error {
            SdkError::ServiceError(inner) => {
                let code = inner.err().code().unwrap_or("Unknown").to_owned();
                let message = inner.err().message().unwrap_or("no message").to_owned();
                let kind = kind_of(&code);
                (code, message, kind)
            }
            SdkError::TimeoutError(_) => timeless("Timeout", "no answer in time"),
            SdkError::DispatchFailure(failure) => {
                let text = failure.as_connector_error().map_or_else(|| "not sent".to_owned(), ToString::to_string);
                ("Dispatch".to_owned(), text, CallErrorKind::Unavailable)
            }
            SdkError::ResponseError(_) => timeless("Response", "an answer that cannot be read"),
            SdkError::ConstructionFailure(_) => {
                ("Construction".to_owned(), "the request could not be built".to_owned(), CallErrorKind::Rejected)
            }
            _ => timeless("Unknown", "an unknown failure"),
        };
        Self::Call(CallError { operation, code, message, kind })
    }

    /// The error code, where a call failed.
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

    /// The stable type: what a failed invocation and a metric name it by.
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

    /// Operation and code alone: a message may be long, and differ from call to call.
    pub fn brief(&self) -> String {
        match self {
            Self::Call(error) => format!("{}: {}", error.operation, error.code),
            Self::Shape(error) => error.to_string(),
        }
    }

    /// Whether the same call may succeed a little later.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Call(error) => matches!(error.kind, CallErrorKind::Throttled | CallErrorKind::Unavailable),
            Self::Shape(_) => false,
        }
    }

    /// What follows from it; an unexpected answer is nothing that a retry mends.
    pub fn kind(&self) -> Option<CallErrorKind> {
        match self {
            Self::Call(error) => Some(error.kind),
            Self::Shape(_) => None,
        }
    }
}

fn timeless(code: &str, message: &str) -> (String, String, CallErrorKind) {
    (code.to_owned(), message.to_owned(), CallErrorKind::Unavailable)
}

fn kind_of(code: &str) -> CallErrorKind {
    if THROTTLED.contains(&code) {
        CallErrorKind::Throttled
    } else if DENIED.contains(&code) || code.starts_with("AccessDenied") {
        CallErrorKind::AccessDenied
    } else if code.starts_with("Internal")
        || code.starts_with("ServiceUnavailable")
        || code == "ServerException"
        || code == "Unavailable"
        || code == "RequestTimeout"
    {
        CallErrorKind::Unavailable
    } else {
        CallErrorKind::Rejected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fall_into_the_kind_that_decides_what_to_do() {
        for (code, kind) in [
            ("AccessDenied", CallErrorKind::AccessDenied),
            ("AccessDeniedForOrganization", CallErrorKind::AccessDenied),
            ("UnauthorizedOperation", CallErrorKind::AccessDenied),
            ("RequestLimitExceeded", CallErrorKind::Throttled),
            ("SlowDown", CallErrorKind::Throttled),
            ("InternalError", CallErrorKind::Unavailable),
            ("ServiceUnavailable", CallErrorKind::Unavailable),
            ("NoSuchBucket", CallErrorKind::Rejected),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
