//! Errors of the commands, and their exit codes.

use rectify_compliance::entry::EntryError;
use rectify_compliance::{EventError, ParameterError, ShapeError};
use rectify_runtime::Error;
use serde_json::{Value, json};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// An argument or the environment is unusable.
    #[error("{0}")]
    Usage(String),
    /// The command was refused.
    #[error("{reason}")]
    Refused {
        /// The reason.
        reason: String,
        /// What the command would have done, if known.
        details: Value,
    },
    /// The control, the ledger or AWS failed.
    #[error(transparent)]
    Error(#[from] Error),
    /// A scan did not finish: the exit code 2 means a finding there.
    #[error(transparent)]
    Scan(Box<Self>),
    /// The local machine failed, such as standard output.
    #[error("{0}")]
    Machine(String),
}

impl CliError {
    /// A usage error, `what: where: why`.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// The exit code: 1 refusal, 2 usage, 3 error; 1 for each of a scan.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Error(Error::UndoRefused { .. } | Error::LeaseHeld { .. }) | Self::Scan(_) => {
                1
            }
            Self::Usage(_) | Self::Error(Error::Setting { .. }) => 2,
            Self::Error(_) | Self::Machine(_) => 3,
        }
    }

    /// The stable error type, as in the logs and alarms of the functions.
    fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "Usage",
            Self::Refused { .. } => "Refused",
            Self::Error(error) => error.kind(),
            Self::Scan(error) => error.kind(),
            Self::Machine(_) => "Machine",
        }
    }

    /// The output of `--json` for an error.
    pub(crate) fn as_json(&self) -> Value {
        let mut error = json!({ "kind": self.kind(), "message": self.to_string(), "exit_code": self.code() });
        if let (Self::Refused { details, .. }, Some(error)) = (self, error.as_object_mut()) {
            error.insert("details".to_owned(), details.clone());
        }
        json!({ "error": error })
    }
}

impl From<EventError> for CliError {
    fn from(error: EventError) -> Self {
        Self::Error(error.into())
    }
}

impl From<ParameterError> for CliError {
    fn from(error: ParameterError) -> Self {
        Self::Error(error.into())
    }
}

impl From<ShapeError> for CliError {
    fn from(error: ShapeError) -> Self {
        Self::Error(error.into())
    }
}

impl From<EntryError> for CliError {
    fn from(error: EntryError) -> Self {
        Self::Error(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_distinguish_refusal_usage_and_error() {
        let refused = Error::UndoRefused { attempt: "01A".to_owned(), reason: "changed since".to_owned() };
        let setting = Error::Setting { name: "AWS_ACCESS_KEY_ID", reason: "missing".to_owned() };
        let rows = [
            (CliError::Refused { reason: "no".to_owned(), details: Value::Null }, 1),
            (refused.into(), 1),
            (CliError::usage("no such file"), 2),
            (setting.into(), 2),
            (Error::Ledger("query: Timeout".to_owned()).into(), 3),
            (CliError::Machine("stdout: full".to_owned()), 3),
            (CliError::Scan(Box::new(CliError::usage("no such file"))), 1),
        ];
        for (error, code) in rows {
            assert_eq!(error.code(), code, "{error}");
        }
    }

    #[test]
    fn json_has_the_kind_and_the_details() {
        let error = CliError::Refused { reason: "not confirmed".to_owned(), details: json!({ "calls": [] }) };
        let expected = json!({ "error": {
            "kind": "Refused", "message": "not confirmed", "exit_code": 1, "details": { "calls": [] } } });
        assert_eq!(error.as_json(), expected);
    }
}
