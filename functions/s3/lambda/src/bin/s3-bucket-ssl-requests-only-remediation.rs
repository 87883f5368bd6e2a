//! The remediation of `s3-bucket-ssl-requests-only`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
