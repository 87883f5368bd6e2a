//! The remediation of `ec2-instance-required-security-group`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
