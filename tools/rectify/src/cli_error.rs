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
    /// A file of the arguments is malformed.
    #[error(transparent)]
    File(Error),
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
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Refused { .. } | Self::Error(Error::UndoRefused { .. } | Error::LeaseHeld { .. }) | Self::Scan(_) => {
                1
            }
            Self::Usage(_) | Self::File(_) | Self::Error(Error::Setting { .. }) => 2,
            Self::Error(error) if is_no_table(error) => 2,
            Self::Error(_) | Self::Machine(_) => 3,
        }
    }

    /// The stable error type, as in the logs and alarms of the functions.
    fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "Usage",
            Self::Refused { .. } => "Refused",
            Self::Error(error) | Self::File(error) => error.kind(),
            Self::Scan(error) => error.kind(),
            Self::Machine(_) => "Machine",
        }
    }

    /// The same error about a file of the arguments.
    pub(crate) fn of_file(self) -> Self {
        match self {
            Self::Error(error) => Self::File(error),
            other => other,
        }
    }

    /// What to do, where the message alone does not say.
    pub(crate) fn next_step(&self) -> Option<&'static str> {
        let error = match self {
            Self::Scan(error) => return error.next_step(),
            Self::Error(error) => error,
            Self::Usage(_) | Self::Refused { .. } | Self::File(_) | Self::Machine(_) => return None,
        };
        let text = error.to_string();
        if let Error::UndoRefused { reason, .. } = error {
            let is_changed = reason.starts_with("changed since");
            return is_changed
                .then_some("review that change: --overwrite-changes undoes the attempt and overwrites it");
        }
        if text.contains(": Dispatch: ") || text.contains(": Timeout: ") {
            return Some("no connection to AWS: check the network, the region, and AWS_ENDPOINT_URL if it is set");
        }
        is_no_table(error)
            .then_some("no such table: name the ledger with --table or LEDGER_TABLE, and its region with --region")
    }

    /// The output of `--json` for an error.
    pub(crate) fn as_json(&self) -> Value {
        let mut error = json!({ "kind": self.kind(), "message": self.to_string(), "exit_code": self.code() });
        if let (Some(step), Some(error)) = (self.next_step(), error.as_object_mut()) {
            error.insert("next_step".to_owned(), json!(step));
        }
        if let (Self::Refused { details, .. }, Some(error)) = (self, error.as_object_mut()) {
            error.insert("details".to_owned(), details.clone());
        }
        json!({ "error": error })
    }
}

/// Whether the named table does not exist.
fn is_no_table(error: &Error) -> bool {
    matches!(error, Error::Ledger(text) if text.contains(": ResourceNotFoundException: "))
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
            (CliError::Error(Error::UnsupportedTrigger { half: "change" }).of_file(), 2),
            (setting.into(), 2),
            (Error::Ledger("query: Timeout".to_owned()).into(), 3),
            (Error::Ledger("query: ResourceNotFoundException: no".to_owned()).into(), 2),
            (CliError::Machine("stdout: full".to_owned()), 3),
            (CliError::Scan(Box::new(CliError::usage("no such file"))), 1),
        ];
        for (error, code) in rows {
            assert_eq!(error.code(), code, "{error}");
        }
    }

    #[test]
    fn next_step_follows_from_the_cause() {
        let ledger = |text: &str| CliError::Error(Error::Ledger(text.to_owned()));
        let changed = Error::UndoRefused { attempt: "01A".to_owned(), reason: "changed since: a: 1".to_owned() };
        let rows = [
            (ledger("query: Dispatch: io error: Connection refused (os error 111)"), Some("no connection to AWS: ")),
            (ledger("query: Timeout: no answer in time"), Some("no connection to AWS: ")),
            (ledger("query: ResourceNotFoundException: Requested resource not found"), Some("no such table: ")),
            (ledger("attempt: expected `01A`: received `01B`"), None),
            (CliError::Error(changed), Some("review that change: --overwrite-changes ")),
            (CliError::Scan(Box::new(ledger("query: Timeout: no answer in time"))), Some("no connection to AWS: ")),
            (CliError::usage("no such file"), None),
        ];
        for (error, expected) in rows {
            let step = error.next_step();
            assert_eq!(step.is_some(), expected.is_some(), "{error}");
            assert!(step.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{error}: {step:?}");
            assert_eq!(error.as_json()["error"]["next_step"].as_str(), step);
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
