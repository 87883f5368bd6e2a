//! The rule `cloud-trail-log-file-validation-enabled`, as AWS Config invokes it.

use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<CloudTrailLogFileValidationEnabled, Clients>()
}
