//! The rule `subnet-auto-assign-public-ip-disabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::subnet_auto_assign_public_ip_disabled::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
