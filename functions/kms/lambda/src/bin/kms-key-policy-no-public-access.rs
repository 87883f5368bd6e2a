//! The rule `kms-key-policy-no-public-access`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS as CONTROL;
use rectify_kms_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
