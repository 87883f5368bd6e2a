//! The rule `rds-multi-az-support`, as AWS Config invokes it.

use rectify_rds::rds_multi_az_support::RdsMultiAzSupport;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<RdsMultiAzSupport, Clients>()
}
