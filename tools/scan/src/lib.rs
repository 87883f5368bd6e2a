//! The result of a scan, and its reports.
//!
//! Links no SDK, reads no clock and calls nothing: a report follows from its [`Scan`].
//!
//! | module | noun |
//! |---|---|
//! | [`result`] | what a scan found: a row per control and resource |
//! | [`report`] | a scan as text, JSON, CSV, OCSF, ASFF, SARIF and JUnit |
//! | [`plan`] | the plan of a remediation as people read it: changes, calls, commands |
//! | [`changes`] | the difference of two states as lines |
//! | [`command`] | the AWS CLI command that makes a call |
//! | [`report`] | the reports of a scan |
//! | [`example`] | a scan with every outcome |

pub mod changes;
pub mod command;
pub mod example;
pub mod plan;
pub mod report;
pub mod result;

pub use plan::PlanView;
pub use result::{Outcome, Place, Row, Scan};
