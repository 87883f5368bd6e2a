//! Resources as AWS answers them, from items and API calls alike. Knows no control.

pub mod backups;
pub mod database;
pub mod instance;
pub mod window;
