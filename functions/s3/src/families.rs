//! Code that several controls share: one verdict and one plan, with different values.

pub mod access;
pub mod public_access;
pub mod public_access_block;
