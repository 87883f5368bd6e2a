//! Helpers for the tests of events, laws, handlers against replayed AWS, and end-to-end runs.
//!
//! | module | content |
//! |---|---|
//! | [`alarms`] | the ends of alarm chains: trails and topics |
//! | [`binaries`] | the binaries built with this test; stale ones are an error |
//! | [`controls`] | a fake resource and its controls |
//! | [`fake_service`] | its scripted service |
//! | [`deployment`] | the templates of one test |
//! | [`emulator`] | one moto per test binary; a ledger, a bus and a queue per test |
//! | [`events`] | events as AWS delivers them, about fake resources |
//! | [`functions`] | Lambda in memory, with revisions of a policy |
//! | [`lost`] | lost answers |
//! | [`meter`] | the number and size of a table's reads |
//! | [`mutants`] | a remediation with one mutation |
//! | [`crash_point`] | a crash at any step |
//! | [`operations`] | which IAM actions an API operation needs |
//! | [`reach`] | the AWS calls that some code can reach |
//! | [`remediation`] | a remediation's function, set up for one test |
//! | [`reorder`] | bucket policies that come back in another order |
//! | [`replay`] | replayed answers of AWS services |
//! | [`services`] | the emulator behind a client that names and refuses calls |
//!
//! Contains helpers only, and unit tests of theirs. It may panic, since only tests use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::missing_panics_doc)]

pub mod alarms;
pub mod binaries;
pub mod controls;
pub mod crash_point;
pub mod deployment;
pub mod emulator;
pub mod events;
pub mod fake_service;
pub mod functions;
pub mod lost;
pub mod meter;
pub mod mfa_policy;
pub mod mutants;
pub mod operations;
pub mod outage;
pub mod reach;
pub mod remediation;
pub mod reorder;
pub mod replay;
pub mod services;
