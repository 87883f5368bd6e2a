//! The remediation of `ebs-snapshot-public-restorable-check`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
