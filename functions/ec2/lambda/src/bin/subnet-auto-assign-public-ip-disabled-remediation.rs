//! The remediation of `subnet-auto-assign-public-ip-disabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
