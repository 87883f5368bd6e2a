//! The rule `nacl-no-unrestricted-ssh-rdp`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
