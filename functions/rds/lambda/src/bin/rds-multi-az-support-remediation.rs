//! The remediation of `rds-multi-az-support`, as EventBridge invokes it.

use rectify_rds::rds_multi_az_support::RdsMultiAzSupport;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RdsMultiAzSupport, Clients>()
}
