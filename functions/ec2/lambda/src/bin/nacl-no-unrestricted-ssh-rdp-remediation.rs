//! The remediation of `nacl-no-unrestricted-ssh-rdp`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::nacl_no_unrestricted_ssh_rdp::NACL_NO_UNRESTRICTED_SSH_RDP as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
