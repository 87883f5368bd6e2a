//! `restricted-ssh-remediation`, broken on purpose: a remediation that plans nothing against what it finds.

use rectify_ec2_lambda::Clients;
use rectify_tests::breakage::{Broken, IdlePlan};

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<Broken<IdlePlan>, Clients>()
}
