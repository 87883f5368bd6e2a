//! The remediation of `ec2-imdsv2-check`.

use rectify_ec2::Ec2Imdsv2Check;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<Ec2Imdsv2Check, Clients>()
}
