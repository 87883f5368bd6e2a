//! The rule `iam-password-policy`, as AWS Config invokes it.

use rectify_iam::client::Clients;
use rectify_iam::iam_password_policy::IamPasswordPolicy;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<IamPasswordPolicy, Clients>()
}
