//! The remediation of `ec2-ebs-encryption-by-default`.

use rectify_ec2::Ec2EbsEncryptionByDefault;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<Ec2EbsEncryptionByDefault, Clients>()
}
