//! Code that several controls share: one verdict and one plan, with different values.

pub mod key_status;
pub mod mfa;
pub mod mfa_policy;
pub mod policy_statements;
pub mod root;
