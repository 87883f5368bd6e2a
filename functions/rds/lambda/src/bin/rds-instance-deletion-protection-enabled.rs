//! The rule `rds-instance-deletion-protection-enabled`, as AWS Config invokes it.

use rectify_rds::rds_instance_deletion_protection_enabled::RdsInstanceDeletionProtectionEnabled;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<RdsInstanceDeletionProtectionEnabled, Clients>()
}
