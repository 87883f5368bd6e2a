//! The remediation of `cloudwatch-alarm-iam-policy-changes`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_logs::controls::cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES as CONTROL;
use rectify_logs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
