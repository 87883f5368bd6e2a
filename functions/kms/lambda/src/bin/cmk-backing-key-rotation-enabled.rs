//! The rule `cmk-backing-key-rotation-enabled`, as AWS Config invokes it.

use rectify_kms::cmk_backing_key_rotation_enabled::CmkBackingKeyRotationEnabled;
use rectify_kms_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<CmkBackingKeyRotationEnabled, Clients>()
}
