//! `restricted-ssh-remediation`, broken on purpose: a remediation that takes a refusal for a success.

use rectify_ec2_lambda::Clients;
use rectify_tests::breakage::BROKEN_SWALLOWED_ERROR;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&BROKEN_SWALLOWED_ERROR).serve()
}
