//! Log groups and alarm chains.

use rectify_compliance::parameters::RuleParameters;
use rectify_logs::controls::cloudwatch_alarm_console_login_without_mfa::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA;
use rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
use rectify_logs::controls::cloudwatch_alarm_unauthorized_api_calls::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS;
use rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;
use rectify_logs::families::alarm_control::{AlarmParameters, Defaults};
use rectify_tests::alarms;
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, target};

#[tokio::test]
async fn retention_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    for name in ["/model/a", "/model/ab"] {
        logs.create_log_group().log_group_name(name).tags("team", "x").send().await.unwrap();
        logs.put_retention_policy().log_group_name(name).retention_in_days(30).send().await.unwrap();
    }
    let (target, params) = (target(&CW_LOGGROUP_RETENTION_PERIOD_CHECK, SEPARATE, "/model/a"), Default::default());
    let calls = assert_model_conforms::<_, rectify_logs_lambda::Clients>(
        &CW_LOGGROUP_RETENTION_PERIOD_CHECK,
        &sdk,
        &target,
        &params,
    )
    .await;
    assert_eq!(calls, [r#"PutRetentionPolicy {"logGroupName":"/model/a","retentionInDays":365}"#]);
}

/// A region whose trail, filters and alarms only these tests create.
const CHAIN: &str = "eu-west-3";

fn parameters<D: Defaults>(text: &str) -> AlarmParameters<D> {
    RuleParameters::parse(Some(text)).unwrap().control
}

/// One test, since the account has one set of alarms: first none, then a filter and an alarm with disabled actions.
#[tokio::test]
async fn alarm_chains_conform() {
    type Clients = rectify_logs_lambda::Clients;
    let sdk = Services::default().sdk(CHAIN);
    alarms::trail(&sdk).await;
    let closed = alarms::topic(&sdk, "model-closed", "events.amazonaws.com").await;
    let text = format!(r#"{{"topicArn": "{closed}", "maxDetectionSeconds": "200"}}"#);
    let root = target(&CLOUDWATCH_ALARM_ROOT_USAGE, CHAIN, ACCOUNT);
    let calls =
        assert_model_conforms::<_, Clients>(&CLOUDWATCH_ALARM_ROOT_USAGE, &sdk, &root, &parameters(&text)).await;
    let named: Vec<&str> = calls.iter().map(|it| it.split(' ').next().unwrap()).collect();
    assert_eq!(named, ["PutMetricFilter", "PutMetricAlarm", "SetTopicAttributes"], "{calls:?}");
    assert!(calls[1].contains(r#""Period":180"#), "{calls:?}");

    let calls = target(&CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS, CHAIN, ACCOUNT);
    let topic = alarms::topic(&sdk, "model-alarms", "cloudwatch.amazonaws.com").await;
    let params = parameters(&format!(r#"{{"topicArn": "{topic}", "namespace": "Own", "threshold": "3"}}"#));
    let calls =
        assert_model_conforms::<_, Clients>(&CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS, &sdk, &calls, &params).await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls[1].contains(r#""Namespace":"Own""#) && calls[1].contains(r#""Threshold":3"#), "{calls:?}");

    alarms::filter_and_alarm(&sdk, "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = No }", &[&topic])
        .await;
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&sdk);
    cloudwatch.disable_alarm_actions().alarm_names("watch").send().await.unwrap();
    let sign_in = target(&CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA, CHAIN, ACCOUNT);
    let params = parameters("{}");
    let calls =
        assert_model_conforms::<_, Clients>(&CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA, &sdk, &sign_in, &params).await;
    assert_eq!(calls, [r#"EnableAlarmActions {"AlarmNames":["watch"]}"#]);
}
