//! The remediation of `sqs-queue-encrypted`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_sqs::controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED as CONTROL;
use rectify_sqs_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
