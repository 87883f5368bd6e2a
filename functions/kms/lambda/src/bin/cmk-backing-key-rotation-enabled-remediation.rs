//! The remediation of `cmk-backing-key-rotation-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED as CONTROL;
use rectify_kms_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
