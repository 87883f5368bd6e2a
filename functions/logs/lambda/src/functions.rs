//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "cloudwatch-alarm-cloudtrail-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-cloudtrail-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-cmk-disabled-or-deleted", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED).serve() },
    Function { name: "cloudwatch-alarm-cmk-disabled-or-deleted-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED).serve() },
    Function { name: "cloudwatch-alarm-config-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_config_changes::CLOUDWATCH_ALARM_CONFIG_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-config-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_config_changes::CLOUDWATCH_ALARM_CONFIG_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-console-login-failures", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES).serve() },
    Function { name: "cloudwatch-alarm-console-login-failures-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES).serve() },
    Function { name: "cloudwatch-alarm-console-login-without-mfa", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).serve() },
    Function { name: "cloudwatch-alarm-console-login-without-mfa-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA).serve() },
    Function { name: "cloudwatch-alarm-iam-policy-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-iam-policy-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-nacl-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_nacl_changes::CLOUDWATCH_ALARM_NACL_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-nacl-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_nacl_changes::CLOUDWATCH_ALARM_NACL_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-network-gateway-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-network-gateway-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-organizations-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-organizations-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-root-usage", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).serve() },
    Function { name: "cloudwatch-alarm-root-usage-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE).serve() },
    Function { name: "cloudwatch-alarm-route-table-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-route-table-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-s3-bucket-policy-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-s3-bucket-policy-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-security-group-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-security-group-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-unauthorized-api-calls", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).serve() },
    Function { name: "cloudwatch-alarm-unauthorized-api-calls-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS).serve() },
    Function { name: "cloudwatch-alarm-vpc-changes", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES).serve() },
    Function { name: "cloudwatch-alarm-vpc-changes-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES).serve() },
    Function { name: "cw-loggroup-retention-period-check", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).serve() },
    Function { name: "cw-loggroup-retention-period-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cloudtrail_changes::CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_cmk_disabled_or_deleted::CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_config_changes::CLOUDWATCH_ALARM_CONFIG_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_failures::CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_iam_policy_changes::CLOUDWATCH_ALARM_IAM_POLICY_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_nacl_changes::CLOUDWATCH_ALARM_NACL_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_network_gateway_changes::CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_route_table_changes::CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_s3_bucket_policy_changes::CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_security_group_changes::CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cloudwatch_alarm_vpc_changes::CLOUDWATCH_ALARM_VPC_CHANGES),
    || Operations::listed::<_, Clients>(&rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK),
];
