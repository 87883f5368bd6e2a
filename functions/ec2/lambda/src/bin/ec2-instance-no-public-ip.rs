//! The rule `ec2-instance-no-public-ip`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_instance_no_public_ip::EC2_INSTANCE_NO_PUBLIC_IP as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
