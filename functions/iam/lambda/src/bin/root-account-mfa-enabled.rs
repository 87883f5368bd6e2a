//! The rule `root-account-mfa-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_iam::controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
