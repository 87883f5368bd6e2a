//! EFS controls: encryption of file systems.
//!
//! Evaluated from configuration items alone: no call to EFS, no SDK.

pub mod controls;

pub use controls::CONTROLS;
pub use controls::efs_encrypted_check::EFS_ENCRYPTED_CHECK;
