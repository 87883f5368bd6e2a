//! The rule `s3-bucket-public-write-prohibited`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
