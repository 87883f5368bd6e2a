//! Why an invocation fails. The type is stable: alarms and dead-letter queues are read by it.

use lambda_runtime::Diagnostic;
use rectify_compliance::entry::EntryError;
use rectify_compliance::{EventError, ParameterError, ShapeError};

use crate::AwsError;

/// A fault of ours, of the event, or of the services behind: never a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is not what AWS Config or EventBridge sends.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The rule's parameters.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// An AWS call, or its answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The environment of the function.
    #[error("{name}: {reason}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// What was expected and what was received.
        reason: String,
    },
    /// The event belongs to an account this function has no credentials for.
    #[error("account: function of `{home}` cannot act in `{account}`")]
    ForeignAccount {
        /// The function's own account.
        home: String,
        /// The account of the event.
        account: String,
    },
    /// The history does not have the item of an oversized event yet.
    #[error("config:GetResourceConfigHistory: {resource}: no item as of `{captured_at}` yet")]
    HistoryNotReady {
        /// The resource.
        resource: String,
        /// The capture time the event names.
        captured_at: String,
    },
    /// AWS Config took the call but refused evaluations.
    #[error("config:PutEvaluations: {count} evaluations refused: {first}")]
    EvaluationRefused {
        /// How many remained refused after the retries.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// The rule's function does not have the half of the control this event is for.
    #[error("event: this control has no {half} half")]
    UnsupportedTrigger {
        /// `change` or `periodic`.
        half: &'static str,
    },
    /// The ledger could not be read or written; nothing was changed.
    #[error("ledger: {0}")]
    Ledger(String),
    /// Somebody else works on this resource.
    #[error("lease: {resource}: held by `{owner}` until {until}")]
    LeaseHeld {
        /// The resource.
        resource: String,
        /// Who holds it.
        owner: String,
        /// When it ends.
        until: String,
    },
    /// The resource kept changing between the reads.
    #[error("live read: {resource}: changed between reading and acting, {times} times")]
    ConcurrentModification {
        /// The resource.
        resource: String,
        /// How often it was tried.
        times: u32,
    },
    /// An action failed; what had been done before it is in the ledger.
    #[error("attempt {attempt}: action {number} of {total}: {reason}")]
    ActionFailed {
        /// The attempt's id.
        attempt: String,
        /// Which action, from 1.
        number: usize,
        /// How many there are.
        total: usize,
        /// What the service said.
        reason: String,
        /// Whether trying again cannot help.
        terminal: bool,
    },
    /// Every action succeeded and the control still does not hold, or more changed than was planned.
    #[error("attempt {attempt}: not verified: {reason}")]
    NotVerified {
        /// The attempt's id.
        attempt: String,
        /// What the live read showed.
        reason: String,
    },
    /// A run of many steps in which some failed; the others were done.
    #[error("{failed} steps failed: {first}")]
    Incomplete {
        /// How many failed.
        failed: usize,
        /// The first of them, with its type.
        first: String,
    },
    /// An undo that began and is not done: a call of it failed, or it did not help.
    #[error("undo {attempt}: {reason}")]
    UndoFailed {
        /// The attempt's id.
        attempt: String,
        /// What failed, how far the undo got, and until when the resource is held.
        reason: String,
    },
    /// A periodic run judged what it could read. What it could not keeps its last evaluation.
    #[error("{count} of {resources} resources could not be read: {first}")]
    Unreadable {
        /// How many could not be read.
        count: usize,
        /// How many the listing named.
        resources: usize,
        /// The first of them, each with the operation and its error code.
        first: String,
    },
    /// A periodic round took more invocations than any account can need: its listing does not end.
    #[error("round not finished after {parts} invocations and {resources} resources; expected its listing to end")]
    Endless {
        /// How many invocations there were.
        parts: u32,
        /// How many resources were listed.
        resources: usize,
    },
    /// Work that was given up before Lambda would have ended the function in the middle of it.
    #[error(
        "{what}: not done within {allowed_s} s, all that the function's timeout leaves; nothing was changed since it began"
    )]
    OutOfTime {
        /// What was given up.
        what: String,
        /// The time it had, seconds.
        allowed_s: u64,
    },
    /// Undo refused.
    #[error("undo {attempt}: {reason}")]
    UndoRefused {
        /// The attempt's id.
        attempt: String,
        /// Why, with the difference where there is one.
        reason: String,
    },
}

impl Error {
    /// The stable type: what Lambda reports as `errorType` and the failure metric counts by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "MalformedEvent",
            Self::Parameter(_) => "InvalidParameter",
            Self::Aws(error) => error.name(),
            Self::Setting { .. } => "InvalidSetting",
            Self::ForeignAccount { .. } => "ForeignAccount",
            Self::HistoryNotReady { .. } => "HistoryNotReady",
            Self::EvaluationRefused { .. } => "EvaluationRefused",
            Self::UnsupportedTrigger { .. } => "UnsupportedTrigger",
            Self::Ledger(_) => "LedgerUnavailable",
            Self::LeaseHeld { .. } => "LeaseHeld",
            Self::ConcurrentModification { .. } => "ResourceUnsteady",
            Self::ActionFailed { .. } => "ActionFailed",
            Self::NotVerified { .. } => "NotVerified",
            Self::UndoFailed { .. } => "UndoFailed",
            Self::Incomplete { .. } | Self::Unreadable { .. } | Self::Endless { .. } => "RunIncomplete",
            Self::OutOfTime { .. } => "OutOfTime",
            Self::UndoRefused { .. } => "UndoRefused",
        }
    }
}

impl From<ShapeError> for Error {
    fn from(error: ShapeError) -> Self {
        Self::Aws(AwsError::Shape(error))
    }
}

impl From<EntryError> for Error {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Parameter(error) => error.into(),
            EntryError::Shape(error) => error.into(),
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(fault: Error) -> Self {
        Self { error_type: fault.kind().to_owned(), error_message: fault.to_string() }
    }
}
