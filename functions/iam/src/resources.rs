//! Resources as AWS answers them, from items and API calls alike. Knows no control.

pub mod access_key;
pub(crate) mod age;
pub mod password_policy;
pub mod policy;
pub mod user;
