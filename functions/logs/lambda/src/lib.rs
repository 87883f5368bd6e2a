//! The only place that names an SDK: lists, reads live, applies and reverts. Decides nothing.
//!
//! Every SDK type becomes one of ours before it leaves this module.

mod alarm_chains;
mod log_groups;
mod metrics;
mod topics;

use aws_types::SdkConfig;
use rectify_cloudtrail_lambda::TrailReader;
use rectify_logs::cloudwatch_alarm_console_login_without_mfa::CloudwatchAlarmConsoleLoginWithoutMfa;
use rectify_logs::cloudwatch_alarm_root_usage::CloudwatchAlarmRootUsage;
use rectify_logs::cloudwatch_alarm_unauthorized_api_calls::CloudwatchAlarmUnauthorizedApiCalls;
use rectify_logs::cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;
use rectify_runtime::edge::Connect;
use rectify_runtime::serve::Function;
use rectify_runtime::{Operations, remediation, rule};

/// The functions of these controls, by the name of their program.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "cloudwatch-alarm-console-login-without-mfa-remediation",
        serve: remediation::serve::<CloudwatchAlarmConsoleLoginWithoutMfa, Clients>,
    },
    Function {
        name: "cloudwatch-alarm-console-login-without-mfa",
        serve: rule::on_schedule::<CloudwatchAlarmConsoleLoginWithoutMfa, Clients>,
    },
    Function {
        name: "cloudwatch-alarm-root-usage-remediation",
        serve: remediation::serve::<CloudwatchAlarmRootUsage, Clients>,
    },
    Function { name: "cloudwatch-alarm-root-usage", serve: rule::on_schedule::<CloudwatchAlarmRootUsage, Clients> },
    Function {
        name: "cloudwatch-alarm-unauthorized-api-calls-remediation",
        serve: remediation::serve::<CloudwatchAlarmUnauthorizedApiCalls, Clients>,
    },
    Function {
        name: "cloudwatch-alarm-unauthorized-api-calls",
        serve: rule::on_schedule::<CloudwatchAlarmUnauthorizedApiCalls, Clients>,
    },
    Function {
        name: "cw-loggroup-retention-period-check-remediation",
        serve: remediation::serve::<CwLoggroupRetentionPeriodCheck, Clients>,
    },
    Function {
        name: "cw-loggroup-retention-period-check",
        serve: rule::on_schedule::<CwLoggroupRetentionPeriodCheck, Clients>,
    },
];

/// What an operator can do with these controls: read, apply, undo.
pub const OPERATIONS: &[Operations] = &[
    Operations::of::<CloudwatchAlarmConsoleLoginWithoutMfa, Clients>(),
    Operations::of::<CloudwatchAlarmRootUsage, Clients>(),
    Operations::of::<CloudwatchAlarmUnauthorizedApiCalls, Clients>(),
    Operations::of::<CwLoggroupRetentionPeriodCheck, Clients>(),
];

/// The clients of this crate, for one account and region.
#[derive(Debug, Clone)]
pub struct Clients {
    cloudwatch: aws_sdk_cloudwatch::Client,
    kms: aws_sdk_kms::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    sns: aws_sdk_sns::Client,
    trails: TrailReader,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            trails: TrailReader::connect(config),
        }
    }
}
