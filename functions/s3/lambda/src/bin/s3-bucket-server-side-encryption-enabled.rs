//! The rule `s3-bucket-server-side-encryption-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_server_side_encryption_enabled::S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
