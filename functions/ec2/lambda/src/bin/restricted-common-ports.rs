//! The rule of `restricted-common-ports`.

use rectify_ec2::RestrictedCommonPorts;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<RestrictedCommonPorts, Clients>()
}
