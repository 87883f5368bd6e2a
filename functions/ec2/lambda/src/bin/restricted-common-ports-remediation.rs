//! The remediation of `restricted-common-ports`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::restricted_common_ports::RESTRICTED_COMMON_PORTS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
