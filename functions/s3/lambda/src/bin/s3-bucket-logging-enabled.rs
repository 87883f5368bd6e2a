//! The rule `s3-bucket-logging-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
