//! The rule `ssm-automation-block-public-sharing`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ssm::controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING as CONTROL;
use rectify_ssm_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
