//! KMS controls: key rotation, and who may use a key.
//!
//! No SDK is linked; the API calls are in `rectify-kms-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
pub use controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS;
