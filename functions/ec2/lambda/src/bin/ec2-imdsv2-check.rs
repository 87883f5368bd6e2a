//! The rule `ec2-imdsv2-check`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_imdsv2_check::EC2_IMDSV2_CHECK as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
