//! The links from an event in a log group to a notification: a metric filter, an alarm, a topic.
//!
//! Each link is checked on its own and rejected with a reason. Knows no SDK and no control: a control states its
//! requirements as
//! [`chain::AlarmRequirements`], which contain [`filter::ExpectedEvents`] for filters and [`alarm::Limits`] for alarms.
//!
//! | module | content |
//! |---|---|
//! | [`filter`] | whether a metric filter counts the expected events |
//! | [`alarm`] | whether an alarm on its metric fires in time |
//! | [`target`] | whether an action of the alarm notifies an operator |
//! | [`observed`] | the state of all links in one account and region |
//! | [`chain`] | walks the links to a verdict |
//! | [`fix`] | the calls that create missing links, and the calls that undo them |

pub mod alarm;
pub mod chain;
pub mod filter;
pub mod fix;
mod model;
pub mod observed;
pub mod target;
