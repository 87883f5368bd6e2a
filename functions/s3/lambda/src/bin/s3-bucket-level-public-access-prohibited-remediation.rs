//! The remediation of `s3-bucket-level-public-access-prohibited`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_bucket_level_public_access_prohibited::S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
