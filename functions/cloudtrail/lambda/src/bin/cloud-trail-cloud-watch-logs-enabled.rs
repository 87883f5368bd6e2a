//! The rule `cloud-trail-cloud-watch-logs-enabled`, as AWS Config invokes it.

use rectify_cloudtrail::cloud_trail_cloud_watch_logs_enabled::CloudTrailCloudWatchLogsEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<CloudTrailCloudWatchLogsEnabled, Clients>()
}
