//! The remediation of `s3-lifecycle-log-archive`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_lifecycle_log_archive::S3_LIFECYCLE_LOG_ARCHIVE as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
