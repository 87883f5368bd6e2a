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
//! | [`judges`] | the controls that evaluate recorded items, with their parameters |
//! | [`aggregated`] | the results of queries over an AWS Config aggregator |
//! | [`events`] | rule events and single items |
//! | [`snapshot`] | the files that AWS Config delivers to S3, judged item by item |
//! | [`replay`] | the history of resources: when each finding began and ended |
//! | [`since`] | what changed since an earlier scan |
//! | [`permissions`] | the IAM policy of a scan |
//! | [`template`] | resources that do not exist yet, judged from a CloudFormation template |
//! | [`example`] | a scan with every outcome |

pub mod aggregated;
pub mod changes;
pub mod command;
pub mod events;
pub mod example;
pub mod judges;
pub mod permissions;
pub mod plan;
pub mod replay;
pub mod report;
pub mod result;
pub mod since;
pub mod snapshot;
pub mod template;

pub use plan::PlanView;
pub use result::{Outcome, Place, Row, Scan, Source};
pub use since::Since;
