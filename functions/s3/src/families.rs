//! What several controls share: one judgement and one plan with different values.

pub mod access;
pub mod public_access;
