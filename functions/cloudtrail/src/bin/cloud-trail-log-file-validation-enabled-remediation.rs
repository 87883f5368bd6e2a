//! The remediation of `cloud-trail-log-file-validation-enabled`, as EventBridge invokes it.

use rectify_cloudtrail::client::Clients;
use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudTrailLogFileValidationEnabled, Clients>()
}
