//! The rule `s3-lifecycle-log-archive`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
