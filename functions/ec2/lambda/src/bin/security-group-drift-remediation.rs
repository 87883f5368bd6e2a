//! The remediation of `security-group-drift`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::security_group_drift::SECURITY_GROUP_DRIFT as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
