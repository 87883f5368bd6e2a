//! The rule of `vpc-sg-open-only-to-authorized-ports`.

use rectify_ec2::VpcSgOpenOnlyToAuthorizedPorts;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<VpcSgOpenOnlyToAuthorizedPorts, Clients>()
}
