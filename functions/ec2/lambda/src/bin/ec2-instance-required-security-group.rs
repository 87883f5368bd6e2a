//! The rule of `ec2-instance-required-security-group`.

use rectify_ec2::Ec2InstanceRequiredSecurityGroup;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<Ec2InstanceRequiredSecurityGroup, Clients>()
}
