//! The rule `cloud-trail-cloud-watch-logs-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
