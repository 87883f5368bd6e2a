//! The remediation of `access-keys-rotated`, as EventBridge invokes it.

use rectify_iam::access_keys_rotated::AccessKeysRotated;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<AccessKeysRotated, Clients>()
}
