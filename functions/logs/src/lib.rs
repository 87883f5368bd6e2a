//! CloudWatch controls: whether logs are retained, and whether alarms notify an operator.
//!
//! This crate links no SDK; the API calls are in `rectify-logs-lambda`.

pub mod controls;
pub mod families;
pub mod resources;

pub use controls::cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES;
pub use controls::cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED;
pub use controls::cloudwatch_alarm_config_changes::CLOUDWATCH_ALARM_CONFIG_CHANGES;
pub use controls::cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES;
pub use controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA;
pub use controls::cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES;
pub use controls::cloudwatch_alarm_nacl_changes::CLOUDWATCH_ALARM_NACL_CHANGES;
pub use controls::cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES;
pub use controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES;
pub use controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
pub use controls::cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES;
pub use controls::cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES;
pub use controls::cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES;
pub use controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS;
pub use controls::cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES;
pub use controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;
pub use controls::{CONTROLS, SHARED_EVENTS};
