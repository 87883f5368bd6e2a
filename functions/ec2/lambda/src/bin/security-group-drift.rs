//! The rule `security-group-drift`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::security_group_drift::SECURITY_GROUP_DRIFT as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
