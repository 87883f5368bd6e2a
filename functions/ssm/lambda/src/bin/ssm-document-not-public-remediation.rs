//! The remediation of `ssm-document-not-public`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ssm::controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC as CONTROL;
use rectify_ssm_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
