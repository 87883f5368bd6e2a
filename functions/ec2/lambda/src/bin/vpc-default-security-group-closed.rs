//! The rule of `vpc-default-security-group-closed`.

use rectify_ec2::VpcDefaultSecurityGroupClosed;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<VpcDefaultSecurityGroupClosed, Clients>()
}
