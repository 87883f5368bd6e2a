//! `restricted-ssh-remediation`, broken on purpose: a remediation that revokes too much.

use rectify_ec2_lambda::Clients;
use rectify_tests::mutants::BROKEN_GREEDY_PLAN;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&BROKEN_GREEDY_PLAN).serve()
}
