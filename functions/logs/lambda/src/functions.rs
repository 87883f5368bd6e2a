//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "cloudwatch-alarm-console-login-without-mfa", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).serve() },
    Function { name: "cloudwatch-alarm-console-login-without-mfa-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).serve() },
    Function { name: "cloudwatch-alarm-root-usage", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).serve() },
    Function { name: "cloudwatch-alarm-root-usage-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).serve() },
    Function { name: "cloudwatch-alarm-unauthorized-api-calls", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).serve() },
    Function { name: "cloudwatch-alarm-unauthorized-api-calls-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).serve() },
    Function { name: "cw-loggroup-retention-period-check", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).serve() },
    Function { name: "cw-loggroup-retention-period-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::of::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA),
    || Operations::of::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE),
    || Operations::of::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS),
    || Operations::of::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK),
];
