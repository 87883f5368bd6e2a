//! The rule `rds-snapshots-public-prohibited`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_rds::controls::rds_snapshots_public_prohibited::RDS_SNAPSHOTS_PUBLIC_PROHIBITED as CONTROL;
use rectify_rds_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
