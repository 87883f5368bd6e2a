//! CloudWatch controls: whether logs are retained, and whether alarms notify an operator.
//!
//! This crate links no SDK; the API calls are in `rectify-logs-lambda`.

pub mod controls;
pub mod families;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA;
pub use controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
pub use controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS;
pub use controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;
