//! The remediation of `cloud-trail-encryption-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
