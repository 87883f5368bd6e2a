//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "sqs-queue-no-public-access", serve: || rectify_runtime::rule::on_item(&rectify_sqs::controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS).serve() },
    Function { name: "sqs-queue-no-public-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_sqs::controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS).serve() },
    Function { name: "sqs-queue-encrypted", serve: || rectify_runtime::rule::on_item(&rectify_sqs::controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED).serve() },
    Function { name: "sqs-queue-encrypted-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_sqs::controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::of::<_, Clients>(&rectify_sqs::controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS),
    || Operations::of::<_, Clients>(&rectify_sqs::controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED),
];
