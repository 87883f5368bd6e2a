//! The rule `iam-password-policy`, as AWS Config invokes it.

use rectify_iam::iam_password_policy::IamPasswordPolicy;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<IamPasswordPolicy, Clients>()
}
