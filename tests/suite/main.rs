//! Every test that is not beside its code: one binary, linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod announcements;
mod attribution;
mod command_line;
mod config_engine;
mod config_recorder;
mod controls_against_replay;
mod demo;
mod end_to_end;
mod journeys;
mod lambda_host;
mod laws;
mod lost_answers;
mod memory;
mod model_and_reality;
mod programs;
mod proxy;
mod reconciler;
mod remediation_gates;
mod rule_shell;
mod scaffold;
mod stacks;
mod stored_attempts;
mod table_and_moto;
mod template;
mod undo;
mod wiring;
mod world;
