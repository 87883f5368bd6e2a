//! Every test that is not beside its code, in one binary that is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod announcements;
mod attribution;
mod baseline;
mod command_line;
mod config_engine;
mod config_recorder;
mod control_clients;
mod demo;
mod end_to_end;
mod journeys;
mod lambda_host;
mod laws;
mod local_stack;
mod lost_answers;
mod members;
mod memory;
mod model_conformance;
mod plan_views;
mod programs;
mod proxy;
mod reconciler;
mod remediation_gates;
mod router;
mod rule_handler;
mod scaffold;
mod scan;
mod stacks;
mod stored_attempts;
mod table_and_moto;
mod template;
mod undo;
mod world;
