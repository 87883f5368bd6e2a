//! AWS Config on your machine: the engine, recorder, Lambda host, proxy and event loop around moto.
//!
//! | module | noun |
//! |---|---|
//! | [`backend`] | the moto process behind every service except AWS Config |
//! | [`proxy`] | the single endpoint of local AWS: names, authorizes, forwards and records calls, and injects faults |
//! | [`engine`] | AWS Config: rules, items, results, compliance changes |
//! | [`recorder`] | reads resources from the emulator into configuration items |
//! | [`host`] | Lambda: built binaries as functions |
//! | [`iam`] | authorizes each call of a function by its role |
//! | [`stack`] | the deployed stack, resolved from the template |
//! | [`bus`] | EventBridge: the template's event rules, matched by moto |
//! | [`world`] | all of the above, started in order and stopped |
//! | [`demo`] | noncompliant resources: found, fixed and undone |
//! | [`event_log`] | what happened since the last read |
//!
//! Except for [`demo`], no module knows a control by name: the template decides what runs.

pub mod backend;
pub mod bus;
pub mod demo;
pub mod engine;
pub mod event_log;
pub mod host;
pub mod iam;
pub mod proxy;
pub mod recorder;
mod request_id;
pub mod stack;
pub mod world;
