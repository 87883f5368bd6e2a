//! The links between an event in a log group and the person whom it notifies: a metric filter, an alarm, a topic.
//!
//! Each link is judged on its own, as an answer or a reason in words. Knows no SDK and no control: what is wanted of a filter is
//! a [`filter::ExpectedEvents`], what is wanted of an alarm a [`alarm::Limits`], and both and the rest are [`chain::AlarmRequirements`].
//!
//! | module | what |
//! |---|---|
//! | [`filter`] | whether a metric filter counts the wanted events |
//! | [`alarm`] | whether an alarm on its metric goes off in time |
//! | [`target`] | whether what the alarm does reaches a person |
//! | [`observed`] | all of it as it is in one account and region |
//! | [`chain`] | the links walked one after the other, to a verdict |
//! | [`mend`] | the calls that make missing links, one after the other, and those that undo them |

pub mod alarm;
pub mod chain;
pub mod filter;
pub mod fix;
mod model;
pub mod observed;
pub mod target;
