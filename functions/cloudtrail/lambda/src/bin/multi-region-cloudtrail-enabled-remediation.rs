//! The remediation of `multi-region-cloudtrail-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
