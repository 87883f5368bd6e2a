//! The remediation of `iam-root-access-key-check`, as EventBridge invokes it: it plans, a person acts.

use rectify_iam::iam_root_access_key_check::IamRootAccessKeyCheck;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<IamRootAccessKeyCheck, Clients>()
}
