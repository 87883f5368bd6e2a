//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod sqs_queue_encrypted;
pub mod sqs_queue_no_public_access;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_item;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_item(&sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS).remediated(),
    on_item(&sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED).remediated(),
];
