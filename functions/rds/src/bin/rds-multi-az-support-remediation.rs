//! The remediation of `rds-multi-az-support`, as EventBridge invokes it.

use rectify_rds::client::Clients;
use rectify_rds::rds_multi_az_support::RdsMultiAzSupport;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RdsMultiAzSupport, Clients>()
}
