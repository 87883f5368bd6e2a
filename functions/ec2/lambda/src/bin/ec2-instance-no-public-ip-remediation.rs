//! The remediation of `ec2-instance-no-public-ip`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
