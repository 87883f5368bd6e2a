//! The rule of `restricted-ssh`.

use rectify_ec2::RestrictedSsh;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<RestrictedSsh, Clients>()
}
