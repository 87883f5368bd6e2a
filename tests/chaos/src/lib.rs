//! An environment with random faults, in memory and in virtual time, for the chaos test.
//!
//! | module | content |
//! |---|---|
//! | [`actor`] | the functions and operators that act in it, and their history |
//! | [`table`] | DynamoDB and an event bus in memory |
//! | [`vaults`] | a fake resource with six controls |
//! | [`virtual_time`] | an executor whose clock jumps to the next wake-up time |
//!
//! A separate package, so that only it is compiled with optimization. It may panic, since only tests use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::missing_panics_doc)]

pub mod actor;
pub mod table;
pub mod vaults;
pub mod virtual_time;

/// The account of the environment.
pub const ACCOUNT: &str = "111122223333";
/// Its region.
pub const REGION: &str = "us-east-1";
