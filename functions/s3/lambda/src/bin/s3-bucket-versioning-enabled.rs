//! The rule `s3-bucket-versioning-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_versioning_enabled::S3_BUCKET_VERSIONING_ENABLED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
