//! Why an invocation fails. The error type is stable: alarms and dead-letter queues rely on it.

use lambda_runtime::Diagnostic;
use rectify_compliance::entry::EntryError;
use rectify_compliance::{EventError, ParameterError, ShapeError};

use crate::AwsError;

/// An error of the program, the event or a service: never a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is not what AWS Config or EventBridge sends.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The rule's parameters are invalid.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// An AWS call failed, or its answer is unexpected.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The function's environment is invalid.
    #[error("{name}: {reason}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// The expected and the received value.
        reason: String,
    },
    /// The event belongs to an account for which this function has no credentials.
    #[error("account: function of `{home}` cannot act in `{account}`")]
    ForeignAccount {
        /// The function's own account.
        home: String,
        /// The account of the event.
        account: String,
    },
    /// The role in a member account cannot be assumed.
    #[error(
        "account `{account}`: `{role}` not assumed: {error}; deploy deploy/member.yaml there, with the central account and the external id of rectify.yaml"
    )]
    MemberRole {
        /// The member account.
        account: String,
        /// The role's ARN.
        role: String,
        /// The answer of STS.
        error: Box<AwsError>,
    },
    /// The configuration history does not contain the item of an oversized event yet.
    #[error("config:GetResourceConfigHistory: {resource}: no item as of `{captured_at}` yet")]
    HistoryNotReady {
        /// The resource.
        resource: String,
        /// The capture time in the event.
        captured_at: String,
    },
    /// AWS Config accepted the call but refused evaluations.
    #[error("config:PutEvaluations: {count} evaluations refused: {first}")]
    EvaluationRefused {
        /// How many were still refused after the retries.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// The rule's function does not support the trigger of this event.
    #[error("event: this control has no {half} trigger")]
    UnsupportedTrigger {
        /// `change` or `periodic`.
        half: &'static str,
    },
    /// The ledger could not be read or written; nothing was changed.
    #[error("ledger: {0}")]
    Ledger(String),
    /// Another owner holds the lease of this resource.
    #[error("lease: {resource}: held by `{owner}` until {until}")]
    LeaseHeld {
        /// The resource.
        resource: String,
        /// The holder.
        owner: String,
        /// When it expires.
        until: String,
    },
    /// The resource kept changing between the reads.
    #[error("live read: {resource}: changed between reading and acting, {times} times")]
    ConcurrentModification {
        /// The resource.
        resource: String,
        /// The number of tries.
        times: u32,
    },
    /// An action failed; the earlier ones are in the ledger.
    #[error("attempt {attempt}: action {number} of {total}: {reason}")]
    ActionFailed {
        /// The attempt's id.
        attempt: String,
        /// The number of the action, from 1.
        number: usize,
        /// The number of actions.
        total: usize,
        /// The service's error.
        reason: String,
        /// Whether a retry cannot succeed.
        terminal: bool,
    },
    /// Every action succeeded, but the resource is still noncompliant; or the result of an action is not known.
    #[error("attempt {attempt}: not verified: {reason}")]
    NotVerified {
        /// The attempt's id.
        attempt: String,
        /// The result of the live read.
        reason: String,
    },
    /// Some steps of a run failed; the others were completed.
    #[error("{failed} steps failed: {first}")]
    Incomplete {
        /// How many failed.
        failed: usize,
        /// The first of them, with its type.
        first: String,
    },
    /// An undo began but is not complete: a call failed, or the resource is not restored.
    #[error("undo {attempt}: {reason}")]
    UndoFailed {
        /// The attempt's id.
        attempt: String,
        /// The failure, the progress of the undo, and when the hold on the resource ends.
        reason: String,
    },
    /// A periodic run could not read some resources, which keep their last evaluation; the others were evaluated.
    #[error("{count} of {resources} resources could not be read: {first}")]
    Unreadable {
        /// How many could not be read.
        count: usize,
        /// How many were listed.
        resources: usize,
        /// The first of them, each with the operation and its error code.
        first: String,
    },
    /// A periodic round took more invocations than any account can need: its listing seems endless.
    #[error("round not finished after {parts} invocations and {resources} resources; expected its listing to end")]
    Endless {
        /// The number of invocations.
        parts: u32,
        /// The number of listed resources.
        resources: usize,
    },
    /// Work was canceled before Lambda would have ended the function in the middle of it.
    #[error(
        "{what}: not done within {allowed_s} s, all that the function's timeout leaves; nothing was changed since it began"
    )]
    OutOfTime {
        /// The canceled work.
        what: String,
        /// The time it had, seconds.
        allowed_s: u64,
    },
    /// Undo refused.
    #[error("undo {attempt}: {reason}")]
    UndoRefused {
        /// The attempt's id.
        attempt: String,
        /// The reason, with the difference if there is one.
        reason: String,
    },
}

impl Error {
    /// The stable type, which Lambda reports as `errorType` and the failure metric uses as dimension.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) => "MalformedEvent",
            Self::Parameter(_) => "InvalidParameter",
            Self::Aws(error) => error.name(),
            Self::Setting { .. } => "InvalidSetting",
            Self::ForeignAccount { .. } => "ForeignAccount",
            Self::MemberRole { .. } => "MemberRoleNotAssumed",
            Self::HistoryNotReady { .. } => "HistoryNotReady",
            Self::EvaluationRefused { .. } => "EvaluationRefused",
            Self::UnsupportedTrigger { .. } => "UnsupportedTrigger",
            Self::Ledger(_) => "LedgerUnavailable",
            Self::LeaseHeld { .. } => "LeaseHeld",
            Self::ConcurrentModification { .. } => "ConcurrentModification",
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
    fn from(error: Error) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: error.to_string() }
    }
}
