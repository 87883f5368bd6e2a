//! The remediation of `cloud-trail-cloud-watch-logs-enabled`, as EventBridge invokes it.

use rectify_cloudtrail::cloud_trail_cloud_watch_logs_enabled::CloudTrailCloudWatchLogsEnabled;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<CloudTrailCloudWatchLogsEnabled, Clients>()
}
