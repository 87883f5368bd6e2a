//! The rule `s3-bucket-ssl-requests-only`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_ssl_requests_only::S3_BUCKET_SSL_REQUESTS_ONLY as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
