//! The ledger: one DynamoDB table that remembers what a remediation found, did and may do.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `R#account#region#type#id` | `LEASE` | who works on the resource: owner, fence, expiry |
//! | same | `A#control#ulid` | one attempt: images, plan, actions with receipts, outcome |
//! | same | `HOLD#control` | "do not enforce before …", by undo or a person |
//! | `E#control#account#region#type#id#recorded` | `-` | what came of one finding, 30 days |
//! | `ID#ulid` | `-` | from an attempt's id to its place |
//! | `B#control#account#window` | `-` | budget counter of one fixed hour |
//! | `N#budget#control#account#window` | `-` | the budget stop of that hour was announced |
//! | `STOP` | `*` or control | stop switch |
//!
//! Every write that matters is conditional; what belongs together is one transaction. Fixed windows allow twice the
//! budget around an edge. The only file tree here that names the DynamoDB SDK.

mod attempt;
mod attempts;
mod item;
mod key;
mod lease;
mod switches;
mod told;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::SdkConfig;

use crate::Fault;

pub use attempt::{ActionRecord, Attempt, Outcome, State, UndoRecord};
pub use attempts::{Begun, Finding};
pub use key::ResourcePath;
pub use lease::Lease;
pub use switches::{Hold, Stop};

/// The table, reached with a function's or an operator's credentials.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

impl Ledger {
    /// The ledger in `table`.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(config), table: table.into() }
    }
}

/// A new attempt's id: sorts by time, unique without coordination.
pub fn new_id(now: jiff::Timestamp) -> String {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    ulid::Ulid::from_parts(milliseconds, fastrand::u128(..)).to_string()
}

/// A failed call as a fault of the ledger: nothing may be changed when it cannot be asked or told.
fn unavailable<E, R>(what: &str, error: &SdkError<E, R>) -> Fault
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
    Fault::Ledger(format!("{what}: {code}: {message}"))
}
