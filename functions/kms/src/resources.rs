//! Resources as AWS reports them, in configuration items and in API responses. Knows no control.

pub mod key;
pub mod key_policy;
