//! The remediation of `rds-instance-deletion-protection-enabled`, as EventBridge invokes it.

use rectify_rds::rds_instance_deletion_protection_enabled::RdsInstanceDeletionProtectionEnabled;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<RdsInstanceDeletionProtectionEnabled, Clients>()
}
