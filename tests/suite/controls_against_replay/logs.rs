//! Log groups.

use rectify_logs::client::Clients;
use rectify_logs::cw_loggroup_retention_period_check::CwLoggroupRetentionPeriodCheck;

use super::*;

/// A region with log groups that no other test makes or lists.
const GROUPS: &str = "eu-south-1";

async fn groups() {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&Services::default().sdk(GROUPS));
    for number in 0..60 {
        // The other test may have made it.
        let _exists = logs.create_log_group().log_group_name(format!("/app/{number}")).send().await;
    }
}

/// `cw-loggroup-retention-period-check/6`
#[tokio::test]
async fn every_page_of_log_groups_is_judged() {
    groups().await;
    let services = Services::default();
    inventory::<ScheduleOnly<CwLoggroupRetentionPeriodCheck>, Clients>(&services, GROUPS).await.unwrap();
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"; 2]);
    let judged: usize = services.evaluations().iter().map(|body| body["Evaluations"].as_array().unwrap().len()).sum();
    assert_eq!(judged, 60);
}

#[tokio::test]
async fn denied_read_of_log_groups_is_a_fault() {
    each_denied_read_is_a_fault::<ScheduleOnly<CwLoggroupRetentionPeriodCheck>, Clients>(
        "eu-north-1",
        "AccessDeniedException",
    )
    .await;
}

#[tokio::test]
async fn log_group_that_is_gone_needs_nothing() {
    let (around, services) = (Surroundings::create().await, Services::default());
    let gone = remedied::<CwLoggroupRetentionPeriodCheck, Clients>(&services, &around, "/no/such").await.unwrap();
    assert!(matches!(gone, Handled::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"]);
}
