//! What several controls share: one judgement and one plan with different values.

pub mod mfa;
pub mod mfa_policy;
pub mod root;
