//! Resources as AWS describes them, in configuration items and API responses. Depends on no control.

pub mod backups;
pub mod cluster;
pub mod database;
pub mod instance;
pub mod snapshot;
pub mod window;
