//! AWS Config on your machine: the engine, recorder, Lambda host, proxy and event loop around moto.
//!
//! The map is in this crate's `README.md`.
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
