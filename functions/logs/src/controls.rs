//! The controls, one file each; tests and a stored attempt are in the folder of the same name.

pub mod cloudwatch_alarm_console_login_without_mfa;
pub mod cloudwatch_alarm_root_usage;
pub mod cloudwatch_alarm_unauthorized_api_calls;
pub mod cw_loggroup_retention_period_check;

use rectify_compliance::Entry;
use rectify_compliance::entry::on_schedule;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).remediated(),
    on_schedule(&cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).remediated(),
    on_schedule(&cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).remediated(),
    on_schedule(&cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).remediated(),
];
