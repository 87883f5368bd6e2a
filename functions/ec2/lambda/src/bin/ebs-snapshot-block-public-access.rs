//! The rule `ebs-snapshot-block-public-access`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
