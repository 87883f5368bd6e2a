//! The rule `rds-automatic-minor-version-upgrade-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_automatic_minor_version_upgrade_enabled::RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
