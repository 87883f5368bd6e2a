//! The rule of `ec2-ebs-encryption-by-default`.

use rectify_ec2::Ec2EbsEncryptionByDefault;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<Ec2EbsEncryptionByDefault, Clients>()
}
