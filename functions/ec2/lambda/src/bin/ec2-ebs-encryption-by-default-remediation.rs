//! The remediation of `ec2-ebs-encryption-by-default`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::ec2_ebs_encryption_by_default::EC2_EBS_ENCRYPTION_BY_DEFAULT as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
