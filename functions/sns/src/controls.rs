//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod sns_encrypted_kms;
pub mod sns_topic_no_public_access;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change(&sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS).remediated(),
    on_change(&sns_encrypted_kms::SNS_ENCRYPTED_KMS).remediated(),
];
