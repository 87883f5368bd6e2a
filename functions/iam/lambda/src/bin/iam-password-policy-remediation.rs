//! The remediation of `iam-password-policy`, as EventBridge invokes it.

use rectify_iam::iam_password_policy::IamPasswordPolicy;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<IamPasswordPolicy, Clients>()
}
