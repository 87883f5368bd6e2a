//! Code that several controls share: one verdict and one plan, with different values.

pub mod mfa;
pub mod mfa_policy;
pub mod root;
