//! The function behind the Config rule `s3-bucket-ssl-requests-only`.

use rectify_s3::S3BucketSslRequestsOnly;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<S3BucketSslRequestsOnly, Clients>()
}
