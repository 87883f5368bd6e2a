//! The Lambda runtime of Rectify: events in, evaluations out, the gates of a remediation.
//!
//! It knows no control by name, and only the services that every function needs: AWS Config, CloudFormation, DynamoDB
//! for the ledger, EventBridge, Lambda and STS. Only a control's Lambda crate knows the control's service, through the
//! traits of [`client`].
//!
//! | module | content |
//! |---|---|
//! | [`rule`] | a rule's function, from the event to `PutEvaluations` |
//! | [`remediation`] | a remediation's function: its gates, in order, and undo |
//! | [`ledger`] | attempts, leases, holds, exemptions, breakers, budgets and stop switches on DynamoDB |
//! | [`client`] | the traits with which a control's crate calls its service |
//! | [`views`] | the same for all settings of a view |
//! | [`clients`] | SDK configuration from the environment; clients by region |
//! | [`members`] | roles in the member accounts of a central function |
//! | [`config_service`] | the calls to AWS Config |
//! | [`shared_reads`] | answers that several controls of a scan need, requested once |
//! | [`relay`] | a function that invokes itself |
//! | [`deadline`] | the deadline of an invocation |
//! | [`stacks`] | CloudFormation: the stack of a resource |
//! | [`settings`] | a function's environment, typed |
//! | [`error`] | why an invocation fails, with a stable type |
//! | [`invocation`] | one line of log and metrics per invocation |
//! | [`writer`] | clients that send each request once |
//! | [`retry`] | bounded back-off with jitter |
//! | [`serve`] | the event loop of every function |

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
pub mod members;
pub mod operations;
pub mod relay;
pub mod remediation;
pub mod retry;
pub mod rule;
pub mod serve;
pub mod settings;
pub mod shared_reads;
pub mod stacks;
pub mod views;
pub mod writer;

pub use aws_error::{AwsError, CallError, CallErrorKind};
pub use error::Error;
