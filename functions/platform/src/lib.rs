//! Platform functions: reconciler, attribution, router, undo.
//!
//! The crate knows no control by name: it iterates over the catalogue, where a control is an id, a rule name and a
//! mode.
//!
//! | module | content |
//! |---|---|
//! | [`reconciler`] | the scheduled run that retries lost, unfinished and failed remediations |
//! | [`attribution`] | who made the change behind a finding, from CloudTrail |
//! | [`router`] | one ticket per change of a finding |
//! | [`undo`] | the undo of an attempt by invocation, for operators without credentials of their own |
//! | `queue` | a batch of messages, for the functions that a queue invokes |
//! | [`client`] | AWS Config's results, CloudTrail's events and the queues; the only module that names their SDKs |

pub mod attribution;
pub mod client;
mod queue;
pub mod reconciler;
pub mod router;
pub mod undo;

use rectify_compliance::{AccountId, ShapeError};
use rectify_runtime::Error;
use rectify_runtime::serve::{Function, InvocationInfo};

/// The functions, by the name of their program.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "attribution", serve: attribution::serve },
    Function { name: "reconciler", serve: reconciler::serve },
    Function { name: "router", serve: router::serve },
    Function { name: "undo", serve: undo::serve },
];

/// The account of the function, from its ARN.
fn own_account(own: &InvocationInfo) -> Result<&AccountId, Error> {
    let account = own.account.as_ref();
    Ok(account.ok_or_else(|| ShapeError::missing("invokedFunctionArn", "the account of the function"))?)
}
