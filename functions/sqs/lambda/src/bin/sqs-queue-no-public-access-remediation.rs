//! The remediation of `sqs-queue-no-public-access`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_sqs::controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS as CONTROL;
use rectify_sqs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
