//! Parameters, and the requirements that follow from them.

#![allow(clippy::unwrap_used, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Declared, Parameters, Periodic, Remediation};

use super::*;
use crate::CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA as SIGN_IN;
use crate::CLOUDWATCH_ALARM_ROOT_USAGE as ROOT;
use crate::CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS as REFUSED;
use crate::families::alarm_chain::alarm::Limits;
use crate::families::alarm_chain::filter::{MetricFilter, Tolerance, Transformation};

fn read<P: Parameters>(text: &str) -> Result<P, String> {
    RuleParameters::parse(Some(text)).map(|it| it.control).map_err(|error| error.to_string())
}

#[test]
fn each_control_uses_its_own_names_and_defaults() {
    fn required<D: Defaults>(control: &Declared<AlarmControl<D>>) -> (String, &'static str, u32, u32, bool) {
        let params = AlarmParameters::default();
        let AlarmQuery { demands, making, must_be_verified, in_management_account: _ } =
            control.logic.question(&params);
        assert!(must_be_verified && !demands.trust_unverified && !demands.accept_other_targets);
        assert_eq!((demands.limits.seconds, making.period, making.namespace), (900, 300, "CISBenchmark"));
        assert_eq!(making.name, control.meta.id);
        let Limits { events, one_datapoint, .. } = demands.limits;
        (making.metric.to_owned(), demands.events.pattern, events, making.threshold, one_datapoint)
    }
    let row = |metric: &str, expected: ExpectedEvents, max, threshold, one| {
        (metric.to_owned(), expected.pattern, max, threshold, one)
    };
    assert_eq!(required(&ROOT), row("RootUsage", ROOT.logic.events, 1, 1, true));
    assert_eq!(required(&REFUSED), row("UnauthorizedApiCalls", REFUSED.logic.events, 25, 5, false));
    assert_eq!(required(&SIGN_IN), row("ConsoleLoginWithoutMfa", SIGN_IN.logic.events, 1, 1, true));
}

#[test]
fn every_parameter_sets_its_requirement() {
    let given = r#"{"maxThreshold": "3", "maxDetectionSeconds": "130", "acceptNoisy": "false", "acceptVariants": "false",
        "trustOrganizationTrail": "false", "unverifiedTopic": "compliant", "acceptOtherTargets": "true", "namespace": "Audit",
        "topicArn": "arn:aws:sns:eu-west-1:111122223333:alarms", "logGroupName": "trail", "threshold": "2"}"#;
    let params: AlarmParameters<FirstEvent> = read(given).unwrap();
    let question = ROOT.logic.question(&params);
    let (demands, making) = (question.demands, question.making);
    assert!(!demands.tolerance.noisy && !demands.tolerance.variants && !demands.trust_organization_trail);
    assert!(demands.trust_unverified && demands.accept_other_targets && !question.must_be_verified);
    assert_eq!((demands.limits.events, demands.limits.seconds), (3, 130));
    assert_eq!(
        (making.threshold, making.period, making.namespace),
        (2, 120, "Audit"),
        "two whole minutes are within the limit"
    );
    assert_eq!(making.topic_arn, Some("arn:aws:sns:eu-west-1:111122223333:alarms"));
    assert_eq!(making.log_group, Some("trail"));
    let refused: AlarmParameters<FirstEvent> = read(r#"{"unverifiedTopic": "noncompliant"}"#).unwrap();
    let question = ROOT.logic.question(&refused);
    assert!(!question.must_be_verified && !question.demands.trust_unverified);
}

#[test]
fn invalid_parameters_are_refused() {
    for (given, expected) in [
        (r#"{"maxThreshold": "0"}"#, "maxThreshold"),
        (r#"{"threshold": "2"}"#, "threshold `2` is above maxThreshold `1`"),
        (r#"{"maxDetectionSeconds": "59"}"#, "maxDetectionSeconds"),
        (r#"{"unverifiedTopic": "pass"}"#, "unverifiedTopic"),
        (r#"{"topicArn": "alarms"}"#, "expected the ARN of a topic: received `alarms`"),
        (r#"{"topicArn": "arn:aws:sns:eu-west-1:111122223333:alarms:7"}"#, "topicArn"),
        (r#"{"topicArn": "arn:aws:sqs:eu-west-1:111122223333:alarms"}"#, "topicArn"),
        (r#"{"logGroupName": "a group"}"#, "logGroupName"),
        (r#"{"namespace": "AWS/Logs"}"#, "namespace"),
        (r#"{"maxTreshold": "1"}"#, "maxThreshold"),
    ] {
        let error = read::<AlarmParameters<FirstEvent>>(given).unwrap_err();
        assert!(error.contains(expected), "{given}: {error}");
    }
    assert!(read::<AlarmParameters<Burst>>(r#"{"maxThreshold": "4"}"#).is_err());
    assert_eq!(read::<AlarmParameters<FirstEvent>>("{}"), Ok(AlarmParameters::default()));
}

/// A filter created by the remediation is accepted by its own control.
#[test]
fn each_created_filter_is_accepted() {
    for (expected, metric) in [
        (ROOT.logic.events, ROOT.logic.metric),
        (REFUSED.logic.events, REFUSED.logic.metric),
        (SIGN_IN.logic.events, SIGN_IN.logic.metric),
    ] {
        let created = MetricFilter {
            pattern: expected.pattern.to_owned(),
            transformations: vec![Transformation {
                metric_name: metric.to_owned(),
                metric_value: "1".to_owned(),
                ..Transformation::default()
            }],
            ..MetricFilter::default()
        };
        assert_eq!(created.check(&expected, Tolerance { noisy: false, variants: false }), Ok(None), "{metric}");
    }
}

#[test]
fn a_remediation_also_reads_whether_its_alarm_exists() {
    let additional =
        ROOT.logic.permissions().read.strip_prefix(ROOT.logic.list_permissions()).map(<[Permission]>::to_vec);
    assert_eq!(additional, Some(vec![Permission::unscoped("cloudwatch:DescribeAlarms")]));
}
