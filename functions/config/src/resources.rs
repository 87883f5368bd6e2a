//! Resources as AWS reports them, in configuration items and in API responses. Knows no control.

pub mod recording;
