//! The controls, one file each; one stored attempt is in the folder of the same name.

pub mod ssm_automation_block_public_sharing;
pub mod ssm_document_not_public;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC).remediated(),
    on_schedule(&ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING).remediated(),
];
