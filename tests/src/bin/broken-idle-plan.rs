//! `restricted-ssh-remediation`, broken on purpose: a remediation without plans.

use rectify_ec2_lambda::Clients;
use rectify_tests::mutants::BROKEN_IDLE_PLAN;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&BROKEN_IDLE_PLAN).serve()
}
