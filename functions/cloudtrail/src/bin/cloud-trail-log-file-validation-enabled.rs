//! The rule `cloud-trail-log-file-validation-enabled`, as AWS Config invokes it.

use rectify_cloudtrail::client::Clients;
use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<CloudTrailLogFileValidationEnabled, Clients>()
}
