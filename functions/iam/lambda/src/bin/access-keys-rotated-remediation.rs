//! The remediation of `access-keys-rotated`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED as CONTROL;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
