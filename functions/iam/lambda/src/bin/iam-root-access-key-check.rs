//! The rule `iam-root-access-key-check`, as AWS Config invokes it.

use rectify_iam::iam_root_access_key_check::IamRootAccessKeyCheck;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<IamRootAccessKeyCheck, Clients>()
}
