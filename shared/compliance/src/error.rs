//! What can be wrong with what the core is given. Texts name what, where and the received value.

/// How much of a received value an error repeats.
const SHOWN: usize = 120;

/// A document of AWS that does not have the shape it must have. Judging it anyway could pass a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}: received `{received}`")]
pub struct ShapeError {
    /// Where, as a JSON path within the configuration item or answer.
    pub path: String,
    /// What must stand there.
    pub expected: String,
    /// What stood there, shortened.
    pub received: String,
}

impl ShapeError {
    /// At `path` something other than `expected` was received.
    pub fn new(path: impl Into<String>, expected: impl Into<String>, received: impl std::fmt::Display) -> Self {
        Self { path: path.into(), expected: expected.into(), received: shorten(&received.to_string()) }
    }

    /// At `path` nothing was received.
    pub fn missing(path: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(path, expected, "nothing")
    }

    /// The same error with the path seen from one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}.{}", self.path);
        self
    }
}

/// A rule parameter that cannot be used. No evaluation is made with a guess in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// `ruleParameters` is not JSON.
    #[error("ruleParameters: not JSON: {0}")]
    NotJson(String),
    /// `ruleParameters` is JSON but no object.
    #[error("ruleParameters: expected an object: received `{0}`")]
    NotAnObject(String),
    /// A key the control does not know.
    #[error("ruleParameters.{key}: unknown parameter{}", .nearest.as_ref().map(|it| format!(": did you mean `{it}`")).unwrap_or_default())]
    Unknown {
        /// The key as received.
        key: String,
        /// The closest known key, where one is close.
        nearest: Option<String>,
    },
    /// A value outside of its type or range.
    #[error("ruleParameters.{key}: {reason}")]
    Invalid {
        /// The key.
        key: String,
        /// What was expected and what was received.
        reason: String,
    },
    /// Parameters that contradict each other.
    #[error("ruleParameters: {0}")]
    Contradiction(String),
}

/// An event that is not what AWS Config or EventBridge sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A part that must be there is missing or of another type.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A text that must hold JSON does not.
    #[error("{path}: not JSON: {reason}")]
    NotJson {
        /// Which text.
        path: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// A message type that reaches no rule.
    #[error("invokingEvent.messageType: unknown message type: received `{0}`")]
    UnknownMessageType(String),
}

/// Shortens a received value for an error text, on a character boundary.
pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(SHOWN).collect();
    cut.push('…');
    cut
}
