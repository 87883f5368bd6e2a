//! Evaluation and plan that several controls share, each with its own values.

pub mod alarm_chain;
pub mod alarm_control;
