//! Resources as AWS returns them, in configuration items and API responses. Knows no control.

pub mod pattern;
