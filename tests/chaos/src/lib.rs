//! A world in which everything goes wrong by chance, in memory and in virtual time: what the chaos test plays in.
//!
//! | module | noun |
//! |---|---|
//! | [`actor`] | the functions and people that act in it, and their history |
//! | [`table`] | DynamoDB and an event bus in memory |
//! | [`vaults`] | a made-up resource with six controls over it |
//! | [`virtual_time`] | an executor whose clock jumps to whatever is waited for |
//!
//! A package of its own so that it is compiled optimised, and nothing else is. It may panic: only tests use it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::missing_panics_doc)]

pub mod actor;
pub mod table;
pub mod vaults;
pub mod virtual_time;

/// The account of the world.
pub const ACCOUNT: &str = "111122223333";
/// Its region.
pub const REGION: &str = "us-east-1";
