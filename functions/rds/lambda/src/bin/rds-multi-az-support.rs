//! The rule `rds-multi-az-support`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_multi_az_support::RDS_MULTI_AZ_SUPPORT as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
