//! Log groups.

use futures_util::TryStreamExt;
use rectify_compliance::parameters::RuleParameters;
use rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
use rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;
use rectify_logs::families::alarm_chain::observed::AlarmChains;
use rectify_logs_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, List, Listed, Page};
use rectify_tests::alarms;

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
    inventory(&on_schedule::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK), &services, GROUPS).await.unwrap();
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"; 2]);
    let judged: usize = services.evaluations().iter().map(|body| body["Evaluations"].as_array().unwrap().len()).sum();
    assert_eq!(judged, 60);
}

#[tokio::test]
async fn denied_read_of_log_groups_is_a_fault() {
    each_denied_read_is_told(
        &on_schedule::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK),
        "eu-north-1",
        "AccessDeniedException",
    )
    .await;
}

#[tokio::test]
async fn log_group_that_is_gone_needs_nothing() {
    let (around, services) = (Surroundings::create().await, Services::default());
    let gone =
        remedied::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK, &services, &around, "/no/such").await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"]);
}

/// A region with a trail, a filter and an alarm that no other test makes.
const CHAIN: &str = "ca-central-1";

/// The pattern the control asks for.
fn root_pattern() -> &'static str {
    CLOUDWATCH_ALARM_ROOT_USAGE.logic.wanted.pattern
}

/// A whole chain here, with an encrypted topic; made once.
async fn chain() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    MADE.get_or_init(|| async {
        let sdk = Services::default().sdk(CHAIN);
        alarms::trail(&sdk).await;
        let topic = alarms::topic(&sdk, "replay", "cloudwatch.amazonaws.com").await;
        let service = json!({"Service": "cloudwatch.amazonaws.com"});
        let use_it = json!({"Effect": "Allow", "Principal": service, "Action": "kms:*", "Resource": "*"});
        alarms::encrypt(&sdk, &topic, &use_it).await;
        alarms::filter_and_alarm(&sdk, root_pattern(), &[&topic]).await;
    })
    .await;
}

/// What the client answers for the account in `region`, with these parameters.
async fn chains(services: &Services, region: &str, parameters: &str) -> Result<AlarmChains, AwsError> {
    let clients = Clients::connect(&services.sdk(region));
    let params = RuleParameters::parse(Some(parameters)).unwrap().control;
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(region) };
    let pages = CLOUDWATCH_ALARM_ROOT_USAGE.logic.pages(&clients, &place, &params, None);
    let mut pages: Vec<Page<AlarmChains>> = pages.try_collect().await?;
    match pages.pop().unwrap().resources.pop().unwrap() {
        Listed::Read(chains) => Ok(chains),
        Listed::Unreadable(found, error) => panic!("{found:?}: {error}"),
    }
}

#[tokio::test]
async fn denied_read_of_any_link_of_a_chain_is_a_fault() {
    chain().await;
    let free = Services::default();
    let whole = chains(&free, CHAIN, "{}").await.unwrap();
    let verdict =
        CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&whole, &Default::default(), rectify_compliance::Timestamp::now());
    assert!(verdict.is_compliant(), "{verdict:?}: {whole:#?}");
    for read in [
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:GetEventSelectors",
        "logs:DescribeMetricFilters",
        "cloudwatch:DescribeAlarmsForMetric",
        "sns:GetTopicAttributes",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
    ] {
        assert!(free.calls().iter().any(|it| it == read), "{read}: {:?}", free.calls());
        let services =
            Services::refusing([InjectedError { operation: Some(read), number: 1, code: "AccessDeniedException" }]);
        let error = chains(&services, CHAIN, "{}").await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{read}: {error}");
        let rule =
            Services::refusing([InjectedError { operation: Some(read), number: 1, code: "AccessDeniedException" }]);
        let fault =
            inventory(&on_schedule::<_, Clients>(&CLOUDWATCH_ALARM_ROOT_USAGE), &rule, CHAIN).await.unwrap_err();
        assert_eq!((fault.kind(), rule.evaluations()), ("AccessDenied", vec![]), "{read}: {fault}");
    }
    allowed(&entry(&CLOUDWATCH_ALARM_ROOT_USAGE.meta).rule_permissions(), &free.calls());
}

/// `cloudwatch-alarm-root-usage/13`: SNS refuses to show the topic, and whose it is decides.
#[tokio::test]
async fn what_another_account_does_not_show_is_no_verdict_unless_a_parameter_makes_it_one() {
    const HERE: &str = "sa-east-1";
    let sdk = Services::default().sdk(HERE);
    let foreign = format!("arn:aws:sns:{HERE}:444455556666:central");
    alarms::trail(&sdk).await;
    alarms::filter_and_alarm(&sdk, root_pattern(), &[&foreign]).await;
    let refused =
        |code| Services::refusing([InjectedError { operation: Some("sns:GetTopicAttributes"), number: 1, code }]);
    let now = rectify_compliance::Timestamp::now();
    let error = chains(&refused("AuthorizationError"), HERE, "{}").await.unwrap_err();
    assert!(error.is("AuthorizationError"), "{error}");
    for (parameters, compliant) in
        [(r#"{"unverifiedTopic": "compliant"}"#, true), (r#"{"unverifiedTopic": "noncompliant"}"#, false)]
    {
        let read = chains(&refused("AuthorizationError"), HERE, parameters).await.unwrap();
        let params = RuleParameters::parse(Some(parameters)).unwrap().control;
        let verdict = CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&read, &params, now);
        assert_eq!((verdict.is_compliant(), verdict.is_non_compliant()), (compliant, !compliant), "{verdict:?}");
    }
    // Any other refusal of it is a fault, whatever the parameter says; a topic that is not there is broken, not a fault.
    let error = chains(&refused("InternalError"), HERE, r#"{"unverifiedTopic": "compliant"}"#).await.unwrap_err();
    assert!(error.is("InternalError"), "{error}");
    let gone = chains(&refused("NotFound"), HERE, "{}").await.unwrap();
    assert!(
        CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&gone, &Default::default(), now).is_non_compliant(),
        "{gone:#?}"
    );
    // Another alarm that tells somebody makes the refusal matter to nobody.
    let topic = alarms::topic(&sdk, "ours", "cloudwatch.amazonaws.com").await;
    alarms::filter_and_alarm(&sdk, root_pattern(), &[&foreign, &topic]).await;
    // Topics are read by their ARNs: ours is the first, the other account's the second.
    let operation = Some("sns:GetTopicAttributes");
    let second = Services::refusing([InjectedError { operation, number: 2, code: "AuthorizationError" }]);
    let both = chains(&second, HERE, "{}").await.unwrap();
    assert!(CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&both, &Default::default(), now).is_compliant(), "{both:#?}");
}
