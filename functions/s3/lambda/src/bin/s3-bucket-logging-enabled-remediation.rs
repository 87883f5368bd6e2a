//! The remediation of `s3-bucket-logging-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_logging_enabled::S3_BUCKET_LOGGING_ENABLED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
