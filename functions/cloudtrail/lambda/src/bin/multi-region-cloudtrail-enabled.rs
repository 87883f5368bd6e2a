//! The rule `multi-region-cloudtrail-enabled`, as AWS Config invokes it.

use rectify_cloudtrail::multi_region_cloudtrail_enabled::MultiRegionCloudtrailEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<MultiRegionCloudtrailEnabled, Clients>()
}
