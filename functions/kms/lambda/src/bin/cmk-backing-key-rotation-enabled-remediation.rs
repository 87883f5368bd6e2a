//! The remediation of `cmk-backing-key-rotation-enabled`, as EventBridge invokes it.

use rectify_kms::cmk_backing_key_rotation_enabled::CmkBackingKeyRotationEnabled;
use rectify_kms_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CmkBackingKeyRotationEnabled, Clients>()
}
