//! The controls, one file each; tests and a stored attempt are in the folder of the same name.

pub mod cloudwatch_alarm_cloudtrail_changes;
pub mod cloudwatch_alarm_cmk_disabled_or_deleted;
pub mod cloudwatch_alarm_config_changes;
pub mod cloudwatch_alarm_console_login_failures;
pub mod cloudwatch_alarm_console_login_without_mfa;
pub mod cloudwatch_alarm_iam_policy_changes;
pub mod cloudwatch_alarm_nacl_changes;
pub mod cloudwatch_alarm_network_gateway_changes;
pub mod cloudwatch_alarm_organizations_changes;
pub mod cloudwatch_alarm_root_usage;
pub mod cloudwatch_alarm_route_table_changes;
pub mod cloudwatch_alarm_s3_bucket_policy_changes;
pub mod cloudwatch_alarm_security_group_changes;
pub mod cloudwatch_alarm_unauthorized_api_calls;
pub mod cloudwatch_alarm_vpc_changes;
pub mod cw_loggroup_retention_period_check;

use rectify_compliance::Entry;
use rectify_compliance::entry::{SharedEvents, on_schedule};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED).remediated(),
    on_schedule(&cloudwatch_alarm_config_changes::CLOUDWATCH_ALARM_CONFIG_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES).remediated(),
    on_schedule(&cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).remediated(),
    on_schedule(&cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_nacl_changes::CLOUDWATCH_ALARM_NACL_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).remediated(),
    on_schedule(&cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES).remediated(),
    on_schedule(&cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).remediated(),
    on_schedule(&cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES).remediated(),
    on_schedule(&cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).remediated(),
];

/// The alarm controls differ in their patterns only.
pub const SHARED_EVENTS: SharedEvents = SharedEvents {
    of: "cloudwatch-alarm-root-usage",
    controls: "cloudwatch-alarm-*",
    events: &["compliant-a-whole-chain", "non-compliant-no-filter", "remediation-no-chain"],
};
