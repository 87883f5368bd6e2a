//! The rule `sqs-queue-encrypted`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_sqs::controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
