//! The function that refuses plain HTTP where `s3-bucket-ssl-requests-only` finds it answered.

use rectify_s3::S3BucketSslRequestsOnly;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3BucketSslRequestsOnly, Clients>()
}
