//! The Lambda shell of Rectify: events in, evaluations out, the gates of a remediation.
//!
//! Knows no control by name, and no service but those every function needs: AWS Config, CloudFormation, the ledger's
//! DynamoDB and the event bus. A control's own service is known to its Lambda crate alone, through the traits of [`edge`].
//!
//! | module | noun |
//! |---|---|
//! | [`rule`] | a rule's function, from the event to `PutEvaluations` |
//! | [`remediation`] | a remediation's function: its gates, in order, and undo |
//! | [`ledger`] | attempts, leases, holds, exemptions, breakers, budgets and stop switches on DynamoDB |
//! | [`edge`] | what a control's crate implements to call its service |
//! | [`views`] | the same for all settings of a view |
//! | [`clients`] | SDK configuration from the environment; clients by region |
//! | [`config_service`] | the few calls to AWS Config |
//! | [`relay`] | a function that invokes itself |
//! | [`deadline`] | when Lambda ends an invocation |
//! | [`stacks`] | CloudFormation, asked for the stack of a resource |
//! | [`settings`] | a function's environment, typed |
//! | [`fault`] | why an invocation fails, with a stable type |
//! | [`invocation`] | one line of log and metrics per invocation |
//! | [`writer`] | clients that send each request once |
//! | [`retry`] | bounded back-off with jitter |
//! | [`serve`] | the loop of a function, whatever it does |

pub mod aws_error;
pub mod bus;
pub mod client;
pub mod clients;
pub mod config_service;
pub mod deadline;
pub mod error;
mod in_progress;
pub mod invocation;
pub mod ledger;
pub mod operations;
pub mod relay;
pub mod remediation;
pub mod retry;
pub mod rule;
pub mod serve;
pub mod settings;
pub mod stacks;
pub mod views;
pub mod writer;

pub use aws_error::{AwsError, CallError, CallErrorKind};
pub use error::Error;
