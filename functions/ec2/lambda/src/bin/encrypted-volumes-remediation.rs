//! The remediation of `encrypted-volumes`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::encrypted_volumes::ENCRYPTED_VOLUMES as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
