//! The filters that each control on events accepts: one table of controls, and every case for each of them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{AccountId, Control, Declared, Periodic, Plan, Remediation, Timestamp, Verdict};

use crate::families::alarm_chain::chain::tests::{changed, filter};
use crate::families::alarm_chain::filter::MetricFilter;
use crate::families::alarm_chain::observed::{AlarmChains, Organization, WatchedMetric};
use crate::families::alarm_control::{AlarmControl, AlarmParameters, FirstEvent};
use crate::*;

/// Each control with its pattern in the words of Security Hub, which has none for organizations: there, of CIS.
const CONTROLS: [(&Declared<AlarmControl<FirstEvent>>, &str); 12] = [
    (
        &CLOUDWATCH_ALARM_IAM_POLICY_CHANGES,
        "{($.eventName=DeleteGroupPolicy) || ($.eventName=DeleteRolePolicy) || ($.eventName=DeleteUserPolicy) || ($.eventName=PutGroupPolicy) || ($.eventName=PutRolePolicy) || ($.eventName=PutUserPolicy) || ($.eventName=CreatePolicy) || ($.eventName=DeletePolicy) || ($.eventName=CreatePolicyVersion) || ($.eventName=DeletePolicyVersion) || ($.eventName=AttachRolePolicy) || ($.eventName=DetachRolePolicy) || ($.eventName=AttachUserPolicy) || ($.eventName=DetachUserPolicy) || ($.eventName=AttachGroupPolicy) || ($.eventName=DetachGroupPolicy)}",
    ),
    (
        &CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES,
        "{($.eventName=CreateTrail) || ($.eventName=UpdateTrail) || ($.eventName=DeleteTrail) || ($.eventName=StartLogging) || ($.eventName=StopLogging)}",
    ),
    (
        &CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES,
        r#"{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}"#,
    ),
    (
        &CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED,
        "{($.eventSource=kms.amazonaws.com) && (($.eventName=DisableKey) || ($.eventName=ScheduleKeyDeletion))}",
    ),
    (
        &CLOUDWATCH_ALARM_S3_BUCKET_POLICY_CHANGES,
        "{($.eventSource=s3.amazonaws.com) && (($.eventName=PutBucketAcl) || ($.eventName=PutBucketPolicy) || ($.eventName=PutBucketCors) || ($.eventName=PutBucketLifecycle) || ($.eventName=PutBucketReplication) || ($.eventName=DeleteBucketPolicy) || ($.eventName=DeleteBucketCors) || ($.eventName=DeleteBucketLifecycle) || ($.eventName=DeleteBucketReplication))}",
    ),
    (
        &CLOUDWATCH_ALARM_CONFIG_CHANGES,
        "{($.eventSource=config.amazonaws.com) && (($.eventName=StopConfigurationRecorder) || ($.eventName=DeleteDeliveryChannel) || ($.eventName=PutDeliveryChannel) || ($.eventName=PutConfigurationRecorder))}",
    ),
    (
        &CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES,
        "{($.eventName=AuthorizeSecurityGroupIngress) || ($.eventName=AuthorizeSecurityGroupEgress) || ($.eventName=RevokeSecurityGroupIngress) || ($.eventName=RevokeSecurityGroupEgress) || ($.eventName=CreateSecurityGroup) || ($.eventName=DeleteSecurityGroup)}",
    ),
    (
        &CLOUDWATCH_ALARM_NACL_CHANGES,
        "{($.eventName=CreateNetworkAcl) || ($.eventName=CreateNetworkAclEntry) || ($.eventName=DeleteNetworkAcl) || ($.eventName=DeleteNetworkAclEntry) || ($.eventName=ReplaceNetworkAclEntry) || ($.eventName=ReplaceNetworkAclAssociation)}",
    ),
    (
        &CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES,
        "{($.eventName=CreateCustomerGateway) || ($.eventName=DeleteCustomerGateway) || ($.eventName=AttachInternetGateway) || ($.eventName=CreateInternetGateway) || ($.eventName=DeleteInternetGateway) || ($.eventName=DetachInternetGateway)}",
    ),
    (
        &CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES,
        "{($.eventName=CreateRoute) || ($.eventName=CreateRouteTable) || ($.eventName=ReplaceRoute) || ($.eventName=ReplaceRouteTableAssociation) || ($.eventName=DeleteRouteTable) || ($.eventName=DeleteRoute) || ($.eventName=DisassociateRouteTable)}",
    ),
    (
        &CLOUDWATCH_ALARM_VPC_CHANGES,
        "{($.eventName=CreateVpc) || ($.eventName=DeleteVpc) || ($.eventName=ModifyVpcAttribute) || ($.eventName=AcceptVpcPeeringConnection) || ($.eventName=CreateVpcPeeringConnection) || ($.eventName=DeleteVpcPeeringConnection) || ($.eventName=RejectVpcPeeringConnection) || ($.eventName=AttachClassicLinkVpc) || ($.eventName=DetachClassicLinkVpc) || ($.eventName=DisableVpcClassicLink) || ($.eventName=EnableVpcClassicLink)}",
    ),
    (
        &CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES,
        "{($.eventSource=organizations.amazonaws.com) && (($.eventName=AcceptHandshake) || ($.eventName=AttachPolicy) || ($.eventName=CreateAccount) || ($.eventName=CreateOrganizationalUnit) || ($.eventName=CreatePolicy) || ($.eventName=DeclineHandshake) || ($.eventName=DeleteOrganization) || ($.eventName=DeleteOrganizationalUnit) || ($.eventName=DeletePolicy) || ($.eventName=DetachPolicy) || ($.eventName=DisablePolicyType) || ($.eventName=EnablePolicyType) || ($.eventName=InviteAccountToOrganization) || ($.eventName=LeaveOrganization) || ($.eventName=MoveAccount) || ($.eventName=RemoveAccountFromOrganization) || ($.eventName=UpdatePolicy) || ($.eventName=UpdateOrganizationalUnit))}",
    ),
];

/// The maximum length of a filter pattern, characters (service model of Amazon CloudWatch Logs, 2014-03-28).
const MAX_PATTERN: usize = 1024;

/// The event names of a pattern of Security Hub, and its other term.
fn names_and_term(pattern: &'static str) -> (Vec<&'static str>, Option<&'static str>) {
    let terms = pattern.split('(').filter(|it| it.starts_with("$.")).map(|it| it.split_once(')').unwrap().0);
    let (names, others): (Vec<&str>, Vec<&str>) = terms.partition(|it| it.starts_with("$.eventName="));
    (names.into_iter().map(|it| it.split_once('=').unwrap().1).collect(), others.first().copied())
}

/// A pattern of these names, quoted, joined by `operator`, and the term.
fn pattern<N: AsRef<str>>(names: impl IntoIterator<Item = N>, operator: &str, term: Option<&str>) -> String {
    let names: Vec<String> = names.into_iter().map(|it| format!("$.eventName = \"{}\"", it.as_ref())).collect();
    let names = names.join(operator);
    term.map_or_else(|| format!("{{ {names} }}"), |term| format!("{{ ({names}) && (({term})) }}"))
}

/// A complete chain whose log group has filters with these patterns, each with a metric and an alarm.
fn chains(patterns: &[&str]) -> AlarmChains {
    changed(|it| {
        let watched = it.metrics[0].clone();
        it.metrics.clear();
        let mut filters: Vec<MetricFilter> = Vec::new();
        for (number, pattern) in patterns.iter().enumerate() {
            let mut filter = filter(pattern);
            let metric = format!("Events{number}");
            filter.transformations[0].metric_name.clone_from(&metric);
            it.metrics.push(WatchedMetric { name: metric, ..watched.clone() });
            filters.push(filter);
        }
        it.groups.insert("trail".to_owned(), Some(filters));
    })
}

fn verdict(control: &Declared<AlarmControl<FirstEvent>>, chains: &AlarmChains) -> Verdict {
    control.logic.evaluate(chains, &AlarmParameters::default(), Timestamp::UNIX_EPOCH)
}

fn broken(text: impl AsRef<str>) -> Verdict {
    Verdict::non_compliant(format!("Alarm chain broken at {}", text.as_ref()))
}

#[test]
fn each_control_accepts_its_events_and_reports_a_filter_that_lacks_some() {
    let broader = Verdict::Compliant(Some("filter RootUse: broader than required".into()));
    for (control, security_hub) in CONTROLS {
        let (names, term) = names_and_term(security_hub);
        let id = control.meta.id;
        let of = |patterns: &[&str]| verdict(control, &chains(patterns));

        let created = control.logic.events.pattern;
        assert_eq!(of(&[created]), Verdict::COMPLIANT, "{id}: the created filter");
        assert!(created.len() <= MAX_PATTERN, "alarm-on-events/12, {id}: {} characters", created.len());
        assert_eq!(of(&[security_hub]), Verdict::COMPLIANT, "alarm-on-events/1, {id}");
        let reordered = pattern(names.iter().rev(), " || ", term);
        assert_eq!(of(&[&reordered]), Verdict::COMPLIANT, "alarm-on-events/2, {id}: {reordered}");
        let more = pattern(names.iter().chain(&["DescribeInstances"]), " || ", term);
        assert_eq!(of(&[&more]), broader, "alarm-on-events/4, {id}: {more}");
        if term.is_some() {
            assert_eq!(of(&[&pattern(&names, " || ", None)]), broader, "alarm-on-events/5, {id}");
        }
        let globs: BTreeSet<String> = names.iter().map(|it| format!("{}*", &it[..5])).collect();
        assert_eq!(of(&[&pattern(&globs, " || ", term)]), broader, "alarm-on-events/9, {id}: {globs:?}");
        let slow = chains(&[security_hub]).map_alarm(|it| it.threshold = Some(5.0));
        let why = "alarm: RootUse needs 5 events (max 1) (filter RootUse ok)";
        assert_eq!(verdict(control, &slow), broken(why), "alarm-on-events/7, {id}");
        if names.len() == 1 {
            continue;
        }
        let closest = |why: &str| broken(format!("filter: none of 1 matches; closest RootUse: {why}"));
        for missing in &names {
            let without = pattern(names.iter().filter(|it| *it != missing), " || ", term);
            assert_eq!(of(&[&without]), closest(&format!("{missing} missing")), "alarm-on-events/3, {id}");
        }
        let all = pattern(&names, " && ", term);
        assert_eq!(of(&[&all]), closest("narrower than required"), "alarm-on-events/6, {id}");
        let (left, right) = names.split_at(names.len() / 2);
        let halves = [left, right].map(|it| pattern(it, " || ", term));
        let found = format!("{:?}", of(&[&halves[0], &halves[1]]));
        assert!(found.contains("broken at filter: none of 2 matches"), "alarm-on-events/8, {id}: {found}");
    }
}

#[test]
fn known_variants_are_accepted_with_a_remark_unless_a_parameter_forbids_them() {
    let under = |control: &Declared<AlarmControl<FirstEvent>>, source: &str| {
        let security_hub = CONTROLS.iter().find(|(it, _)| it.meta.id == control.meta.id).unwrap().1;
        pattern(names_and_term(security_hub).0, " || ", Some(&format!("$.eventSource = {source}")))
    };
    let vpc = names_and_term(CONTROLS[10].1).0.into_iter().filter(|it| !it.contains("ClassicLink"));
    let classic = "AttachClassicLinkVpc, DetachClassicLinkVpc, DisableVpcClassicLink";
    for (case, control, pattern, remark, rejection) in [
        (
            "alarm-on-events/11",
            &CLOUDWATCH_ALARM_VPC_CHANGES,
            pattern(vpc, " || ", None),
            format!("{classic}, EnableVpcClassicLink not covered"),
            format!("{classic} +1 more missing"),
        ),
        (
            "V5",
            &CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES,
            under(&CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES, "ec2.amazonaws.com"),
            "only events of ec2.amazonaws.com".to_owned(),
            "narrower than required".to_owned(),
        ),
        (
            "V6",
            &CLOUDWATCH_ALARM_IAM_POLICY_CHANGES,
            under(&CLOUDWATCH_ALARM_IAM_POLICY_CHANGES, "iam.amazonaws.com"),
            "only events of iam.amazonaws.com".to_owned(),
            "narrower than required".to_owned(),
        ),
        (
            "the wrong source",
            &CLOUDWATCH_ALARM_IAM_POLICY_CHANGES,
            under(&CLOUDWATCH_ALARM_IAM_POLICY_CHANGES, "sts.amazonaws.com"),
            String::new(),
            "narrower than required".to_owned(),
        ),
    ] {
        let chains = chains(&[&pattern]);
        let rejected = broken(format!("filter: none of 1 matches; closest RootUse: {rejection}"));
        let accepted = Verdict::Compliant(Some(format!("filter RootUse: {remark}").into()));
        let expected = if remark.is_empty() { rejected.clone() } else { accepted };
        assert_eq!(verdict(control, &chains), expected, "{case}");
        let mut strict = AlarmParameters::default();
        strict.accept_variants = Flag(false);
        assert_eq!(control.logic.evaluate(&chains, &strict, Timestamp::UNIX_EPOCH), rejected, "{case}, strictly");
    }
}

#[test]
fn the_closest_filter_lacks_the_fewest_names() {
    let found = ["CreateTrail", "CreateTrail UpdateTrail DeleteTrail StopLogging", "DescribeTrails"]
        .map(|it| pattern(it.split(' '), " || ", None));
    let chains = chains(&[&found[0], &found[1], &found[2]]);
    let why = broken("filter: none of 3 matches; closest RootUse: StartLogging missing");
    assert_eq!(verdict(&CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES, &chains), why);
}

/// A member account is not evaluated; unknown counts as the management account.
#[test]
fn events_of_an_organization_are_evaluated_in_its_management_account() {
    let control = &CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES;
    let chains = chains(&["{ $.eventName = CreateTrail }"]);
    let managed_by = |id: &str| Some(Organization::ManagedBy { account: AccountId::new(id) });
    let elsewhere = "evaluated in the management account 444455556666";
    for (case, organization, not_applicable) in [
        ("alarm-on-events/10", managed_by("444455556666"), Some(elsewhere)),
        ("no organization", Some(Organization::NotInUse), Some("the account is in no organization")),
        ("the management account", managed_by("111122223333"), None),
        ("not read", None, None),
    ] {
        let chains = AlarmChains { organization, ..chains.clone() };
        let (found, params) = (verdict(control, &chains), AlarmParameters::default());
        let planned = control.logic.plan(&chains, &params, Timestamp::UNIX_EPOCH);
        match not_applicable {
            Some(text) => assert_eq!((found, planned), (Verdict::not_applicable(text), Plan::Noop), "{case}"),
            None => assert!(found.is_non_compliant() && planned != Plan::Noop, "{case}: {found:?}"),
        }
    }
}

#[test]
fn only_the_control_on_an_organization_reads_it() {
    for (control, _) in CONTROLS {
        let expected = control.meta.id == "cloudwatch-alarm-organizations-changes";
        for read in [control.logic.list_permissions(), control.logic.permissions().read] {
            let reads = read.iter().any(|it| it.action == "organizations:DescribeOrganization");
            assert_eq!(reads, expected, "{}", control.meta.id);
        }
    }
}

#[test]
fn no_two_controls_write_the_same_metric() {
    let metrics: BTreeSet<&str> = CONTROLS.iter().map(|(it, _)| it.logic.metric).collect();
    assert_eq!(metrics.len(), CONTROLS.len());
}
