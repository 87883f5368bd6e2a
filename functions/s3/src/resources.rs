//! Resources as AWS describes them, in configuration items and API responses. Depends on no control.

pub mod bucket;
pub mod encryption;
pub mod lifecycle;
pub mod logging;
pub mod versioning;
