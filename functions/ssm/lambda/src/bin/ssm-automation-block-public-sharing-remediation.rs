//! The remediation of `ssm-automation-block-public-sharing`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ssm::controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING as CONTROL;
use rectify_ssm_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
