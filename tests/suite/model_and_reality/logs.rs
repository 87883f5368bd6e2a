//! Log groups.

use rectify_logs::cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;
use rectify_tests::services::Services;

use super::{ALONE, model_and_reality_agree, target};

#[tokio::test]
async fn retention_is_as_expected_and_what_it_was_again() {
    let sdk = Services::default().sdk(ALONE);
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    for name in ["/model/a", "/model/ab"] {
        logs.create_log_group().log_group_name(name).tags("team", "x").send().await.unwrap();
        logs.put_retention_policy().log_group_name(name).retention_in_days(30).send().await.unwrap();
    }
    type Groups = CwLoggroupRetentionPeriodCheck;
    let (target, params) = (target::<Groups>(ALONE, "/model/a"), Default::default());
    let calls = model_and_reality_agree::<Groups, rectify_logs::client::Clients>(&sdk, &target, &params).await;
    assert_eq!(calls, [r#"PutRetentionPolicy {"logGroupName":"/model/a","retentionInDays":365}"#]);
}
