//! KMS controls: key rotation.
//!
//! No SDK is linked; the API calls are in `rectify-kms-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
