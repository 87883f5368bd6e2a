//! The rule `iam-root-access-key-check`, as AWS Config invokes it.

use rectify_iam::client::Clients;
use rectify_iam::iam_root_access_key_check::IamRootAccessKeyCheck;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<IamRootAccessKeyCheck, Clients>()
}
