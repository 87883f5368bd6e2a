//! `restricted-ssh-remediation`, broken on purpose: a remediation that ignores a refusal.

use rectify_ec2_lambda::Clients;
use rectify_tests::mutants::BROKEN_SWALLOWED_ERROR;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&BROKEN_SWALLOWED_ERROR).serve()
}
