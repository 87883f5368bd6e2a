//! Resources as AWS describes them, in configuration items and API responses. Depends on no control.

pub mod access_key;
pub(crate) mod age;
pub mod managed_policy;
pub mod password_policy;
pub mod policy;
pub mod user;
