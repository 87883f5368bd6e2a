//! The rule `cloud-trail-log-file-validation-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
