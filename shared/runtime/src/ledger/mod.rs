//! The ledger: one DynamoDB table with the findings and attempts of remediations, and the decisions that restrict them.
//!
//! | pk | sk | content |
//! |---|---|---|
//! | `L#account#region#type#id` | `LEASE` | the lease of the resource: owner, fence, expiry |
//! | `<control>#A#account#region#type#id` | ulid | one attempt: states, plan, actions with receipts, outcome |
//! | `<control>#I#ulid` | `before#n`, `after#n` | one part of a state too large for its attempt's item |
//! | `<control>#ID` | ulid | the key of the attempt with this id |
//! | `<control>#OPEN` | `account#region#type#id#ulid` | an attempt with work left, if only its announcement |
//! | `<control>#ACTED#account#region#type#id` | ulid | an attempt that changed its resource, two days |
//! | `<control>#E#account#region#type#id#recorded` | `-` | the outcome of one finding, 30 days |
//! | `<control>#B#account#window` | `-` | budget counter of one fixed hour |
//! | `<control>#BREAKER` | `account#region#type#id` | a resource's consecutive failures |
//! | same | `-` | the control's last success |
//! | `<control>#FAILED` | ulid | a resource that began to fail, two days |
//! | `<control>#HELD` | `account#region#type#id` | a resource that an open breaker kept from being fixed, nine days |
//! | `<control>#N#kind#about#window` | `-` | an announcement that covers many attempts was made |
//! | `reconciler#…`, `attribution#…` | `-` | the state of these two functions |
//! | `router#control` | `account#region#type#id` | what is known about a finding, and its version |
//! | `D#account#region#type#id` | `HOLD#control` | "do not enforce before …", set by undo or an operator |
//! | `D#HOLDS` | `control#account#region#type#id` | the same hold, so that all can be listed |
//! | `D#account#region#type#id` | `RESET#control` | an operator reset the control's breaker on this resource |
//! | `D#C#control` | `RESET` | an operator reset the control's own breaker |
//! | `X#control` or `X#*` | `account#selector#ulid` | an exemption; an ended one stays |
//! | same | `!revision` | how often one was added or ended |
//! | `X#LIMIT` | `-` | the longest duration of an exemption |
//! | `STOP` | `*` or control | stop switch |
//! | `ACTS#month` | ulid | an audit entry: what an operator did, and why |
//!
//! A control writes `L#…` and the partitions that begin with its own name, and reads everything: a policy can restrict
//! writes by leading keys. Every write that matters is conditional; related writes are one transaction. Fixed windows
//! allow twice the budget around an hour boundary. No other module names the DynamoDB SDK.

mod announced;
mod attempt;
mod attempts;
mod attributed;
mod audit_log;
mod breaker;
mod breaker_blocked;
mod budget;
mod chunking;
mod exemptions;
mod fence;
mod history;
mod in_progress;
mod item;
mod judging;
mod key;
mod lease;
mod request_history;
mod requests;
mod review;
mod routed;
mod switches;
mod table;
mod transact;
mod undoing;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use jiff::SignedDuration;

use crate::{AwsError, Error, aws_error};

pub use attempt::{ActionRecord, Attempt, Outcome, State, UndoRecord};
pub use attempts::{BeginOutcome, Finding};
pub use audit_log::AuditEntry;
pub use breaker::{CONTROL_LIMIT, OpenBreaker, RESOURCE_LIMIT, WINDOW};
pub use breaker_blocked::BreakerBlocked;
pub use exemptions::{DEFAULT_LIMIT, Registry};
pub use fence::{Fence, Overruled};
pub use history::AttemptByTime;
pub use in_progress::AttemptInProgress;
pub use judging::Evaluations;
pub use key::ResourcePath;
pub use lease::{CLOCK_TOLERANCE, Lease};
pub use request_history::RequestHistory;
pub use requests::StoredRequest;
pub use routed::RoutedFinding;
pub use switches::{Hold, StopSwitch};

/// The table, accessed with a function's or an operator's credentials.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
    tolerance: SignedDuration,
    caller: Option<String>,
}

impl Ledger {
    /// The ledger in `table`.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into(), tolerance: SignedDuration::ZERO, caller: None }
    }

    /// The same ledger, whose audit entries name these credentials by their ARN.
    #[must_use]
    pub fn acting_as(self, arn: impl Into<String>) -> Self {
        Self { caller: Some(arn.into()), ..self }
    }

    /// The names of all tables of the account and region, from all pages, among which an operator's tool finds the ledger.
    ///
    /// # Errors
    /// [`Error::Aws`] when the call failed.
    pub async fn tables(config: &SdkConfig) -> Result<Vec<String>, Error> {
        let mut names = Client::new(config).list_tables().into_paginator().items().send();
        let mut tables = Vec::new();
        while let Some(name) = names.next().await {
            tables.push(name.map_err(|error| AwsError::call("dynamodb:ListTables", &error))?);
        }
        Ok(tables)
    }
}

/// A new attempt's id: sortable by time, unique without coordination.
pub fn new_id(now: jiff::Timestamp) -> String {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(milliseconds, fastrand::u128(..)).to_string()
}

/// A failed call as an error of the ledger: nothing may be changed when it cannot be read or written.
fn unavailable<E, R>(what: &str, error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata,
{
    let unsent;
    let (code, message) = match error {
        SdkError::ServiceError(inner) => {
            (inner.err().code().unwrap_or("Unknown"), inner.err().message().unwrap_or("no message"))
        }
        SdkError::TimeoutError(_) => ("Timeout", "no answer in time"),
        SdkError::DispatchFailure(failure) => {
            unsent = aws_error::unsent(failure);
            ("Dispatch", unsent.as_str())
        }
        _ => ("Response", "an answer that cannot be read"),
    };
    Error::Ledger(format!("{what}: {code}: {message}"))
}
