//! Functions of no control: what heals a finding whose event was lost, who was behind one, and the way back as a function.
//!
//! Knows no control by name: it walks the catalogue, and a control is an id, a rule's name and a mode.
//!
//! | module | noun |
//! |---|---|
//! | [`reconciler`] | the scheduled run that asks again about what was lost, left open or failed to the end |
//! | [`attribution`] | who made the change behind a finding, asked of CloudTrail |
//! | [`undo`] | an attempt taken back by invocation, where no person has a shell with credentials |
//! | [`client`] | AWS Config's results, CloudTrail's and the queues; the only place that names their SDKs |

pub mod attribution;
pub mod client;
pub mod reconciler;
pub mod undo;

use rectify_runtime::serve::Function;

/// The functions, by the name of their program.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "attribution", serve: attribution::serve },
    Function { name: "reconciler", serve: reconciler::serve },
    Function { name: "undo", serve: undo::serve },
];
