//! Log groups and alarm chains.

use futures_util::TryStreamExt;
use rectify_compliance::parameters::RuleParameters;
use rectify_logs::controls::cloudwatch_alarm_organizations_changes::CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES;
use rectify_logs::controls::cloudwatch_alarm_root_usage::CLOUDWATCH_ALARM_ROOT_USAGE;
use rectify_logs::controls::cw_loggroup_retention_period_check::CW_LOGGROUP_RETENTION_PERIOD_CHECK;
use rectify_logs::families::alarm_chain::observed::AlarmChains;
use rectify_logs_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, List, Listed, Page};
use rectify_tests::alarms;

use super::*;

/// A region whose log groups no other test creates or lists.
const GROUPS: &str = "eu-south-1";

async fn groups() {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&Services::default().sdk(GROUPS));
    for number in 0..60 {
        // Another test may have created it.
        let _exists = logs.create_log_group().log_group_name(format!("/app/{number}")).send().await;
    }
}

/// `cw-loggroup-retention-period-check/6`
#[tokio::test]
async fn every_page_of_log_groups_is_evaluated() {
    groups().await;
    let services = Services::default();
    run_scheduled(&on_schedule::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK), &services, GROUPS).await.unwrap();
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"; 2]);
    let evaluated_count: usize =
        services.evaluations().iter().map(|body| body["Evaluations"].as_array().unwrap().len()).sum();
    assert_eq!(evaluated_count, 60);
}

#[tokio::test]
async fn denied_read_of_log_groups_is_an_error() {
    each_denied_read_is_reported(
        &on_schedule::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK),
        "eu-north-1",
        "AccessDeniedException",
    )
    .await;
}

#[tokio::test]
async fn deleted_log_group_ends_as_gone() {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let gone =
        remediate::<_, Clients>(&CW_LOGGROUP_RETENTION_PERIOD_CHECK, &services, &sandbox, "/no/such").await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["logs:DescribeLogGroups"]);
}

/// A region whose trail, filter and alarm only these tests create.
const CHAIN: &str = "ca-central-1";

/// The filter pattern that the control requires.
fn root_pattern() -> &'static str {
    CLOUDWATCH_ALARM_ROOT_USAGE.logic.events.pattern
}

/// Creates a complete chain with an encrypted topic, once.
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

/// The chains that the client reads in `region`, with these parameters.
async fn chains(services: &Services, region: &str, parameters: &str) -> Result<AlarmChains, AwsError> {
    let clients = Clients::connect(&services.sdk(region));
    let params = RuleParameters::parse(Some(parameters)).unwrap().control;
    let account_region = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(region) };
    let pages = CLOUDWATCH_ALARM_ROOT_USAGE.logic.pages(&clients, &account_region, &params, None);
    let mut pages: Vec<Page<AlarmChains>> = pages.try_collect().await?;
    match pages.pop().unwrap().resources.pop().unwrap() {
        Listed::Read(chains) => Ok(chains),
        Listed::Unreadable(found, error) => panic!("{found:?}: {error}"),
    }
}

#[tokio::test]
async fn denied_read_of_any_link_of_a_chain_is_an_error() {
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
        let error =
            run_scheduled(&on_schedule::<_, Clients>(&CLOUDWATCH_ALARM_ROOT_USAGE), &rule, CHAIN).await.unwrap_err();
        assert_eq!((error.kind(), rule.evaluations()), ("AccessDenied", vec![]), "{read}: {error}");
    }
    assert_permitted(&entry(&CLOUDWATCH_ALARM_ROOT_USAGE.meta).rule_permissions(), &free.calls());
}

/// `cloudwatch-alarm-root-usage/13`: SNS denies the read of a topic in another account.
#[tokio::test]
async fn denied_foreign_topic_is_an_error_unless_a_parameter_gives_the_verdict() {
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
    // Any other refusal is an error, whatever the parameter says; a missing topic is a violation, not an error.
    let error = chains(&refused("InternalError"), HERE, r#"{"unverifiedTopic": "compliant"}"#).await.unwrap_err();
    assert!(error.is("InternalError"), "{error}");
    let gone = chains(&refused("NotFound"), HERE, "{}").await.unwrap();
    assert!(
        CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&gone, &Default::default(), now).is_non_compliant(),
        "{gone:#?}"
    );
    // If another topic of the alarm is verified, the denial does not matter.
    let topic = alarms::topic(&sdk, "local", "cloudwatch.amazonaws.com").await;
    alarms::filter_and_alarm(&sdk, root_pattern(), &[&foreign, &topic]).await;
    // Topics are read in the order of their ARNs: this account's first, the other account's second.
    let operation = Some("sns:GetTopicAttributes");
    let second = Services::refusing([InjectedError { operation, number: 2, code: "AuthorizationError" }]);
    let both = chains(&second, HERE, "{}").await.unwrap();
    assert!(CLOUDWATCH_ALARM_ROOT_USAGE.logic.evaluate(&both, &Default::default(), now).is_compliant(), "{both:#?}");
}

/// An account outside an organization is not applicable, and nothing else is read; any other refusal is an error. The
/// account that manages one is evaluated.
#[tokio::test]
async fn organization_decides_whether_its_alarm_is_evaluated() {
    chain().await;
    let rule = on_schedule::<_, Clients>(&CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES);
    let refused = |code| {
        Services::refusing([InjectedError { operation: Some("organizations:DescribeOrganization"), number: 1, code }])
    };
    let verdict = |services: &Services| services.evaluations()[0]["Evaluations"][0]["ComplianceType"].clone();
    let none = refused("AWSOrganizationsNotInUseException");
    run_scheduled(&rule, &none, CHAIN).await.unwrap();
    assert_eq!(none.calls(), ["organizations:DescribeOrganization"]);
    assert_eq!(verdict(&none), "NOT_APPLICABLE");
    for (code, kind) in [("AccessDeniedException", "AccessDenied"), ("TooManyRequestsException", "Throttled")] {
        let services = refused(code);
        let error = run_scheduled(&rule, &services, CHAIN).await.unwrap_err();
        assert_eq!((error.kind(), services.evaluations()), (kind, vec![]), "{error}");
    }
    let managing = Services::default();
    let organizations = aws_sdk_organizations::Client::new(&managing.sdk(CHAIN));
    organizations.create_organization().send().await.unwrap();
    run_scheduled(&rule, &managing, CHAIN).await.unwrap();
    assert_eq!(verdict(&managing), "NON_COMPLIANT");
    let read: Vec<String> =
        managing.calls().into_iter().filter(|it| it != "organizations:CreateOrganization").collect();
    assert!(read.iter().any(|it| it == "cloudwatch:DescribeAlarmsForMetric"), "{read:?}");
    assert_permitted(&entry(&CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES.meta).rule_permissions(), &read);
}
