//! Every event judged, laws over the catalogue, the shell against replayed AWS, end to end.
//!
//! | module | noun |
//! |---|---|
//! | [`alarms`] | what alarm chains begin and end with |
//! | [`binaries`] | the binaries built with this test, refused when stale |
//! | [`breakage`] | a remediation with one thing wrong |
//! | [`controls`] | a made-up resource and the controls over it |
//! | [`fake_service`] | the scripted service behind it |
//! | [`emulator`] | one moto for a test binary; a ledger, a bus and a queue for each test |
//! | [`events`] | events as AWS delivers them, about made-up resources |
//! | [`lost`] | answers that never come |
//! | [`meter`] | what is read of a table, counted |
//! | [`crash_point`] | death at any step |
//! | [`operations`] | which IAM actions an API operation needs |
//! | [`reach`] | which calls to AWS some code can reach |
//! | [`remediation`] | a remediation's function, set up for one test |
//! | [`reorder`] | bucket policies that come back in another order |
//! | [`replay`] | AWS Config, replayed |
//! | [`services`] | the emulator with a fault_injector who names and refuses calls |
//!
//! Holds what tests share and no test of its own. It may panic: whoever uses it is a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::missing_panics_doc)]

pub mod alarms;
pub mod binaries;
pub mod breakage;
pub mod controls;
pub mod crash_point;
pub mod emulator;
pub mod events;
pub mod fake_service;
pub mod lost;
pub mod meter;
pub mod mfa_policy;
pub mod operations;
pub mod outage;
pub mod reach;
pub mod remediation;
pub mod reorder;
pub mod replay;
pub mod services;
