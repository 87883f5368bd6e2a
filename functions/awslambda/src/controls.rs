//! The controls, one file each; tests and one stored attempt are in the folder of the same name.

pub mod lambda_function_public_access_prohibited;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_change_and_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] =
    &[on_change_and_schedule(&lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED)
        .remediated()];
