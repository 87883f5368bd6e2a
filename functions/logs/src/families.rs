//! What several controls share: one judgement and one plan with different values.

pub mod alarm_chain;
pub mod alarm_control;
