//! AWS Config on your machine: engine, recorder, Lambda host, proxy and event loop around moto.
//!
//! | module | noun |
//! |---|---|
//! | [`backend`] | the emulator process behind everything that is not AWS Config |
//! | [`proxy`] | the one address of local AWS: names, forwards, records and disturbs calls |
//! | [`engine`] | AWS Config: rules, items, results, compliance changes |
//! | [`recorder`] | reads resources from the emulator into configuration items |
//! | [`host`] | Lambda: built binaries as functions |
//! | [`iam`] | the role of each function, decided call by call |
//! | [`wiring`] | what is deployed, read from the template |
//! | [`bus`] | EventBridge: the template's event rules, really matched |
//! | [`world`] | all of it, started in order, run, and ended |
//! | [`demo`] | faulty resources, each from found to undone |
//! | [`news`] | what happened in it since somebody last asked |
//!
//! But for [`demo`], nothing here knows a control by name: what runs is what the template deploys.

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
pub mod wiring;
pub mod world;
