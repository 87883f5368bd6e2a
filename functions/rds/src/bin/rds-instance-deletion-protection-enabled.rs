//! The rule `rds-instance-deletion-protection-enabled`, as AWS Config invokes it.

use rectify_rds::client::Clients;
use rectify_rds::rds_instance_deletion_protection_enabled::RdsInstanceDeletionProtectionEnabled;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<RdsInstanceDeletionProtectionEnabled, Clients>()
}
