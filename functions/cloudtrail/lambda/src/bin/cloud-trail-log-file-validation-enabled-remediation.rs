//! The remediation of `cloud-trail-log-file-validation-enabled`, as EventBridge invokes it.

use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudTrailLogFileValidationEnabled, Clients>()
}
