//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod cmk_backing_key_rotation_enabled;
pub mod kms_key_policy_no_public_access;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change_and_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_change_and_schedule(&cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED).remediated(),
    on_change_and_schedule(&kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS).remediated(),
];
