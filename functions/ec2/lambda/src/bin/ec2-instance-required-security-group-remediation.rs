//! The remediation of `ec2-instance-required-security-group`.

use rectify_ec2::Ec2InstanceRequiredSecurityGroup;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<Ec2InstanceRequiredSecurityGroup, Clients>()
}
