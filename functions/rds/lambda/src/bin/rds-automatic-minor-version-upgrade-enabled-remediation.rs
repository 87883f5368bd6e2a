//! The remediation of `rds-automatic-minor-version-upgrade-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
