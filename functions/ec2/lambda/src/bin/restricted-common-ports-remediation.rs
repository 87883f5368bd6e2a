//! The remediation of `restricted-common-ports`.

use rectify_ec2::RestrictedCommonPorts;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RestrictedCommonPorts, Clients>()
}
