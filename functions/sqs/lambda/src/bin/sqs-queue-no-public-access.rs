//! The rule `sqs-queue-no-public-access`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_sqs::controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS as CONTROL;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_item(&CONTROL).serve()
}
