//! The remediation of `ebs-snapshot-block-public-access`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
