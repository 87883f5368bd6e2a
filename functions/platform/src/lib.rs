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
//! | [`client`] | AWS Config's results, CloudTrail's events and the queues; the only module that names their SDKs |

pub mod attribution;
pub mod client;
pub mod reconciler;
pub mod router;
pub mod undo;

use rectify_runtime::serve::Function;

/// The functions, by the name of their program.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "attribution", serve: attribution::serve },
    Function { name: "reconciler", serve: reconciler::serve },
    Function { name: "router", serve: router::serve },
    Function { name: "undo", serve: undo::serve },
];
