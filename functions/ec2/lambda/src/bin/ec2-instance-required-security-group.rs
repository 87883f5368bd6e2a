//! The rule `ec2-instance-required-security-group`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_instance_required_security_group::EC2_INSTANCE_REQUIRED_SECURITY_GROUP as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
