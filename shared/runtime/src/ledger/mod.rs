//! The ledger: one DynamoDB table that remembers what a remediation found, did and may do.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `L#account#region#type#id` | `LEASE` | who works on the resource: owner, fence, expiry |
//! | `<control>#A#account#region#type#id` | ulid | one attempt: images, plan, actions with receipts, outcome |
//! | `<control>#I#ulid` | `before#n`, `after#n` | one part of an image too large to stand in its attempt |
//! | `<control>#ID` | ulid | where the attempt with this id lies |
//! | `<control>#OPEN` | `account#region#type#id#ulid` | an attempt that has work left, be it only its announcement |
//! | `<control>#ACTED#account#region#type#id` | ulid | an attempt that changed its resource, two days |
//! | `<control>#E#account#region#type#id#recorded` | `-` | what came of one finding, 30 days |
//! | `<control>#B#account#window` | `-` | budget counter of one fixed hour |
//! | `<control>#BREAKER` | `account#region#type#id` | a resource's failures in a row |
//! | same | `-` | the control's last success |
//! | `<control>#FAILED` | ulid | a resource that began to fail, two days |
//! | `<control>#HELD` | `account#region#type#id` | a resource that an open breaker kept from being fixed, nine days |
//! | `<control>#N#kind#about#window` | `-` | announced once for many |
//! | `reconciler#…`, `attribution#…` | `-` | what these two functions remember |
//! | `D#account#region#type#id` | `HOLD#control` | "do not enforce before …", by undo or a person |
//! | same | `RESET#control` | a person closed the control's breaker on this resource |
//! | `D#C#control` | `RESET` | a person closed the control's own breaker |
//! | `X#control` or `X#*` | `account#selector#ulid` | an exemption; an ended one stays |
//! | same | `!revision` | how often somebody added or ended one |
//! | `STOP` | `*` or control | stop switch |
//! | `ACTS#month` | ulid | what a person did, and why |
//!
//! A control writes `L#…` and what begins with its own name, and reads everything: a policy can say so by leading keys.
//! Every write that matters is conditional; what belongs together is one transaction. Fixed windows allow twice the
//! budget around an edge. The only file tree here that names the DynamoDB SDK.

mod announced;
mod asks;
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
mod in_progress;
mod item;
mod judging;
mod key;
mod lease;
mod requests;
mod review;
mod switches;
mod table;
mod transact;
mod undoing;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;
use jiff::SignedDuration;

use crate::Error;

pub use asks::Asks;
pub use attempt::{ActionRecord, Attempt, Outcome, State, UndoRecord};
pub use attempts::{BeginOutcome, Finding};
pub use audit_log::AuditEntry;
pub use breaker::{CONTROL_LIMIT, OpenBreaker, RESOURCE_LIMIT, WINDOW};
pub use breaker_blocked::BreakerBlocked;
pub use exemptions::Registry;
pub use fence::{Fence, Overruled};
pub use in_progress::AttemptInProgress;
pub use judging::Evaluations;
pub use key::ResourcePath;
pub use lease::{CLOCK_TOLERANCE, Lease};
pub use requests::StoredRequest;
pub use switches::{Hold, StopSwitch};

/// The table, reached with a function's or an operator's credentials.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
    tolerance: SignedDuration,
}

impl Ledger {
    /// The ledger in `table`.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into(), tolerance: SignedDuration::ZERO }
    }
}

/// A new attempt's id: sorts by time, unique without coordination.
pub fn new_id(now: jiff::Timestamp) -> String {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(milliseconds, fastrand::u128(..)).to_string()
}

/// A failed call as a fault of the ledger: nothing may be changed when it cannot be asked or told.
fn unavailable<E, R>(what: &str, error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata,
{
    let (code, message) = match error {
        SdkError::ServiceError(inner) => {
            (inner.err().code().unwrap_or("Unknown"), inner.err().message().unwrap_or("no message"))
        }
        SdkError::TimeoutError(_) => ("Timeout", "no answer in time"),
        SdkError::DispatchFailure(_) => ("Dispatch", "not sent"),
        _ => ("Response", "an answer that cannot be read"),
    };
    Error::Ledger(format!("{what}: {code}: {message}"))
}
