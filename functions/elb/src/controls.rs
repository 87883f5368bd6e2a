//! The controls, one file each; one stored attempt is in the folder of the same name.

pub mod elb_deletion_protection_enabled;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change;

/// The controls of this crate.
pub const CONTROLS: &[Entry] =
    &[on_change(&elb_deletion_protection_enabled::ELB_DELETION_PROTECTION_ENABLED).remediated()];
