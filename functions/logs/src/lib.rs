//! CloudWatch controls: are logs kept, and does an alarm reach a person.
//!
//! The pure half names no SDK; the calls are in `rectify-logs-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`alarm_chain`] | the links from an event to a person: filter, alarm, policy of a topic |
//! | [`alarm_control`] | what the controls that want an alarm share: parameters, permissions, the way from them to a chain |
//! | [`cloudwatch_alarm_console_login_without_mfa`] | console sign-in without MFA raises no alarm |
//! | [`cloudwatch_alarm_root_usage`] | root activity raises no alarm |
//! | [`cloudwatch_alarm_unauthorized_api_calls`] | refused API calls raise no alarm |
//! | [`cw_loggroup_retention_period_check`] | log group keeps events too short |
//! | [`pattern`] | metric filter patterns, compared by what they match |

pub mod alarm_chain;
pub mod alarm_control;
pub mod cloudwatch_alarm_console_login_without_mfa;
pub mod cloudwatch_alarm_root_usage;
pub mod cloudwatch_alarm_unauthorized_api_calls;
pub mod cw_loggroup_retention_period_check;
pub mod pattern;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_schedule;

pub use cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA;
pub use cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
pub use cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS;
pub use cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).remediated(),
    on_schedule(&CLOUDWATCH_ALARM_ROOT_USAGE).remediated(),
    on_schedule(&CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).remediated(),
    on_schedule(&CW_LOGGROUP_RETENTION_PERIOD_CHECK).remediated(),
];
