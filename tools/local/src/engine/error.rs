//! The engine's errors: for callers in this process, and for API clients.

use serde_json::{Value, json};

use super::item::ResourceKey;

/// Why the engine refused a call in this process.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A configuration item without a required field, or with an invalid one.
    #[error("configuration item: `{field}`: {why}")]
    Item {
        /// The invalid field.
        field: &'static str,
        /// The reason.
        why: String,
    },
    /// An item that is not newer than the resource's last one.
    #[error("configuration item: {key}: captured at {captured}, not after the last one at {last}")]
    OutOfOrder {
        /// The resource.
        key: ResourceKey,
        /// Capture time of the refused item.
        captured: jiff::Timestamp,
        /// Capture time of the last recorded item.
        last: jiff::Timestamp,
    },
    /// A resource that was never recorded, or is already recorded as deleted.
    #[error("configuration item: {0}: not recorded, so it cannot be deleted")]
    NotRecorded(ResourceKey),
    /// AWS Config's error from an operation called in this process.
    #[error(transparent)]
    Refused(#[from] ApiError),
}

/// An API error of AWS Config: a code, a message and an HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The exception's name, for example `NoSuchConfigRuleException`.
    pub code: String,
    /// The error message.
    pub message: String,
    /// The HTTP status; 400 for client errors.
    pub status: u16,
}

impl ApiError {
    /// An error with HTTP status 400.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400 }
    }

    /// The body of the answer: `__type` and `message`.
    pub(super) fn body(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }

    pub(super) fn no_such_rule(name: &str) -> Self {
        Self::new(
            "NoSuchConfigRuleException",
            format!("The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name."),
        )
    }

    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValueException", message)
    }

    pub(super) fn invalid_token() -> Self {
        Self::new("InvalidResultTokenException", "The result token provided is invalid.")
    }

    pub(super) fn receiver_dropped(output: &str) -> Self {
        Self {
            status: 500,
            ..Self::new("InternalFailure", format!("local engine: the receiver of its {output} is dropped"))
        }
    }
}
