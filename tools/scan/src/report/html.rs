//! The report as one HTML file.

use crate::Scan;

/// The report of a scan.
#[must_use]
pub fn html(_: &Scan) -> String {
    String::new()
}
