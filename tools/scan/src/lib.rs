//! The result of a scan, and its reports.
//!
//! Links no SDK, reads no clock and calls nothing: a report follows from its [`Scan`].
//!
//! | module | noun |
//! |---|---|
//! | [`result`] | what a scan found: a row per control and resource |
//! | [`report`] | a scan as text, JSON, CSV, OCSF, ASFF, SARIF and JUnit |
//! | [`plan`] | the plan of a remediation as people read it: changes, calls, commands |

pub mod plan;
pub mod report;
pub mod result;

pub use plan::PlanView;
pub use result::{Outcome, Place, Row, Scan};
