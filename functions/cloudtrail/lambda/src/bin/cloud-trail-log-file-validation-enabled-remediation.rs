//! The remediation of `cloud-trail-log-file-validation-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
