//! The rule `ssm-document-not-public`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ssm::controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC as CONTROL;
use rectify_ssm_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
