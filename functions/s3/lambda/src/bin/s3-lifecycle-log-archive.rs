//! The function behind the Config rule `s3-lifecycle-log-archive`.

use rectify_s3::S3LifecycleLogArchive;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<S3LifecycleLogArchive, Clients>()
}
