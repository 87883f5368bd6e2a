//! The remediation of `security-group-drift`.

use rectify_ec2::SecurityGroupDrift;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<SecurityGroupDrift, Clients>()
}
