//! The remediation of `s3-bucket-public-write-prohibited`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_public_write_prohibited::S3_BUCKET_PUBLIC_WRITE_PROHIBITED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
