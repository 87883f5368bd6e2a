//! The remediation of `multi-region-cloudtrail-enabled`, as EventBridge invokes it.

use rectify_cloudtrail::multi_region_cloudtrail_enabled::MultiRegionCloudtrailEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<MultiRegionCloudtrailEnabled, Clients>()
}
