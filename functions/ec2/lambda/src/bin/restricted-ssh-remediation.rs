//! The remediation of `restricted-ssh`.

use rectify_ec2::RestrictedSsh;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RestrictedSsh, Clients>()
}
