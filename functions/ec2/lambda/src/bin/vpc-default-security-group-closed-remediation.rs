//! The remediation of `vpc-default-security-group-closed`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::vpc_default_security_group_closed::VPC_DEFAULT_SECURITY_GROUP_CLOSED as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
