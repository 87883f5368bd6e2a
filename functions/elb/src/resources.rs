//! Resources as AWS describes them, in configuration items and API responses. Depends on no control.

pub mod load_balancer;
