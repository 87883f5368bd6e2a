//! The rule `cloudwatch-alarm-s3-bucket-policy-changes`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
