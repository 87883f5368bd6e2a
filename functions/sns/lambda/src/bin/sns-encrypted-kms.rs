//! The rule `sns-encrypted-kms`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_sns::controls::sns_encrypted_kms::SNS_ENCRYPTED_KMS as CONTROL;
use rectify_sns_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
