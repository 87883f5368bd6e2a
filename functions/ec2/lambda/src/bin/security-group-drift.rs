//! The rule of `security-group-drift`.

use rectify_ec2::SecurityGroupDrift;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<SecurityGroupDrift, Clients>()
}
