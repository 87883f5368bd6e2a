//! The rule `multi-region-cloudtrail-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED as CONTROL;
use rectify_cloudtrail_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
