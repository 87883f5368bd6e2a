//! The rule `cloud-trail-encryption-enabled`, as AWS Config invokes it.

use rectify_cloudtrail::cloud_trail_encryption_enabled::CloudTrailEncryptionEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<CloudTrailEncryptionEnabled, Clients>()
}
