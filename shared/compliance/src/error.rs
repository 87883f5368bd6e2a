//! Errors about the input of the core. A text names the problem, its place and the received value.

/// Maximum length of a received value in an error text, in characters.
const MAX_SHOWN: usize = 120;

/// An AWS document of unexpected shape. Evaluating it anyway could miss a violation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}: received `{received}`")]
pub struct ShapeError {
    /// The JSON path within the configuration item or response.
    pub path: String,
    /// The expected value.
    pub expected: String,
    /// The received value, shortened.
    pub received: String,
}

impl ShapeError {
    /// The value at `path` is not `expected`.
    pub fn new(path: impl Into<String>, expected: impl Into<String>, received: impl std::fmt::Display) -> Self {
        Self { path: path.into(), expected: expected.into(), received: shorten(&received.to_string()) }
    }

    /// There is no value at `path`.
    pub fn missing(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(path, expected, "nothing")
    }

    /// The same error with `outer` prepended to the path.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

/// An invalid rule parameter. It is never replaced by a guess: no evaluation is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// `ruleParameters` is not JSON.
    #[error("ruleParameters: not JSON: {0}")]
    NotJson(String),
    /// `ruleParameters` is JSON but not an object.
    #[error("ruleParameters: expected an object: received `{0}`")]
    NotAnObject(String),
    /// An unknown key.
    #[error("ruleParameters.{key}: unknown parameter{}", .nearest.as_ref().map(|it| format!(": did you mean `{it}`")).unwrap_or_default())]
    Unknown {
        /// The received key.
        key: String,
        /// The closest known key, if one is close.
        nearest: Option<String>,
    },
    /// A value of the wrong type or out of range.
    #[error("ruleParameters.{key}: {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// The expected value and the received one.
        reason: String,
    },
    /// Parameters that contradict each other.
    #[error("ruleParameters: {0}")]
    Contradiction(String),
}

/// An event that does not have the form that AWS Config or EventBridge sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A required member is missing or of the wrong type.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A string that must be JSON is not.
    #[error("{path}: not JSON: {reason}")]
    NotJson {
        /// The JSON path of the string.
        path: &'static str,
        /// The parser's error.
        reason: String,
    },
    /// A message type that AWS Config never sends to a rule.
    #[error("invokingEvent.messageType: unknown message type: received `{0}`")]
    UnknownMessageType(String),
}

/// Shortens a received value for an error text, on a character boundary.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_SHOWN {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(MAX_SHOWN).collect();
    cut.push('…');
    cut
}
