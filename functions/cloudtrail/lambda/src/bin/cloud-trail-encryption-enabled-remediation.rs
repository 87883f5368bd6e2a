//! The remediation of `cloud-trail-encryption-enabled`, as EventBridge invokes it.

use rectify_cloudtrail::cloud_trail_encryption_enabled::CloudTrailEncryptionEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudTrailEncryptionEnabled, Clients>()
}
