//! The remediation of `vpc-sg-open-only-to-authorized-ports`.

use rectify_ec2::VpcSgOpenOnlyToAuthorizedPorts;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<VpcSgOpenOnlyToAuthorizedPorts, Clients>()
}
