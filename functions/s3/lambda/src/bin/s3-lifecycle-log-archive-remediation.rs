//! The function that adds what `s3-lifecycle-log-archive` finds missing to the lifecycle of a log bucket.

use rectify_s3::S3LifecycleLogArchive;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<S3LifecycleLogArchive, Clients>()
}
