//! Instances: a read that is denied is a fault of ours, in the rule and in the remediation.

use rectify_ec2::{EC2_IMDSV2_CHECK, EC2_INSTANCE_REQUIRED_SECURITY_GROUP};
use rectify_ec2_lambda::Clients;
use rectify_runtime::rule::on_change;
use rectify_tests::events::change;

use super::*;

/// Runs a control's change half on an item of its type through this fault_injector.
async fn changed(
    rule: &Rule,
    services: &Services,
    kind: &str,
    id: &str,
    configuration: &Value,
    parameters: &Value,
) -> Result<(), Error> {
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let shell = RuleContext::over(rule.clone(), &services.sdk(REGION), settings);
    let mut item = rectify_tests::events::item(id, &[]);
    item["resourceType"] = json!(kind);
    item["ARN"] = Value::Null;
    item["configuration"] = configuration.clone();
    let event = rule_event(&change(&item), parameters, "token");
    let mut line = Invocation::start(rule.meta.id, "request");
    let result = handle(&shell, &event, &invocation(), &mut line).await;
    allowed(&entry(rule.meta).rule_permissions(), &services.calls());
    result
}

/// The same, with each of its reads denied in turn.
pub(super) async fn each_denied_fact_is_a_fault(
    rule: &Rule,
    kind: &str,
    id: &str,
    configuration: &Value,
    parameters: &Value,
) {
    let free = Services::default();
    changed(rule, &free, kind, id, configuration, parameters).await.unwrap();
    let calls = free.calls();
    assert!(!calls.is_empty() && free.evaluations().len() == 1, "{calls:?}");
    for number in 1..=calls.len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDeniedException" }]);
        let fault = changed(rule, &services, kind, id, configuration, parameters).await.unwrap_err();
        assert_eq!((fault.kind(), services.evaluations()), ("AccessDenied", vec![]), "{}: {fault}", calls[number - 1]);
    }
}

/// Denies each read of a remediation in turn: it fails by name and writes nothing. `write` is the operation that would.
pub(super) async fn each_denied_live_read_is_a_fault<K, C>(
    control: &'static Declared<K>,
    id: &str,
    reads: &[&str],
    write: &str,
) where
    K: Fix<C>,
    C: Connect,
{
    for (number, read) in (1..).zip(reads) {
        let around = Surroundings::create().await;
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDeniedException" }]);
        let fault = remedied::<_, C>(control, &services, &around, id).await.unwrap_err();
        assert_eq!(fault.kind(), "AccessDenied", "{read}: {fault}");
        let calls = services.calls();
        assert_eq!(calls.last().map(String::as_str), Some(*read), "{calls:?}");
        assert!(!calls.contains(&write.to_owned()), "{read}: {calls:?}");
    }
}

pub(super) async fn instance() -> String {
    let ec2 = aws_sdk_ec2::Client::new(&sdk_at(endpoint()));
    let made = ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1).send().await.unwrap();
    made.instances()[0].instance_id().unwrap().to_owned()
}

#[tokio::test]
async fn denied_read_of_metadata_options_is_a_fault() {
    let id = instance().await;
    let old = json!({"state": {"name": "running"}});
    each_denied_fact_is_a_fault(
        &on_change::<_, Clients>(&EC2_IMDSV2_CHECK),
        "AWS::EC2::Instance",
        &id,
        &old,
        &json!({}),
    )
    .await;
    let reads = ["ec2:DescribeInstances", "cloudwatch:GetMetricData"];
    let write = "ec2:ModifyInstanceMetadataOptions";
    each_denied_live_read_is_a_fault::<_, Clients>(&EC2_IMDSV2_CHECK, &id, &reads, write).await;
}

/// An item that tells its options is judged without a call, and one about an instance that is gone by now is no finding.
#[tokio::test]
async fn options_are_read_only_where_the_item_does_not_tell_them() {
    let told =
        json!({"state": {"name": "running"}, "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "optional"}});
    let services = Services::default();
    changed(&on_change::<_, Clients>(&EC2_IMDSV2_CHECK), &services, "AWS::EC2::Instance", "i-0", &told, &json!({}))
        .await
        .unwrap();
    assert_eq!(services.calls(), [""; 0]);
    assert_eq!(services.evaluations()[0]["Evaluations"][0]["ComplianceType"], "NON_COMPLIANT");

    let services = Services::default();
    let old = json!({"state": {"name": "running"}});
    let gone = "i-00000000000000000";
    changed(&on_change::<_, Clients>(&EC2_IMDSV2_CHECK), &services, "AWS::EC2::Instance", gone, &old, &json!({}))
        .await
        .unwrap();
    assert_eq!(services.calls(), ["ec2:DescribeInstances"]);
    assert_eq!(services.evaluations()[0]["Evaluations"][0]["ComplianceType"], "NOT_APPLICABLE");
}

#[tokio::test]
async fn denied_read_of_groups_or_interfaces_is_a_fault() {
    let id = instance().await;
    let old = json!({"state": {"name": "running"}, "vpcId": "vpc-0", "securityGroups": [{"groupId": "sg-1"}]});
    let parameters = json!({"requiredGroups": "name:base, sg-1", "scope": "allEnis"});
    each_denied_fact_is_a_fault(
        &on_change_and_schedule::<_, Clients>(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP),
        "AWS::EC2::Instance",
        &id,
        &old,
        &parameters,
    )
    .await;
    // Nothing is asked for without parameters, so only what is read before that is read at all.
    let reads = ["ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces"];
    each_denied_live_read_is_a_fault::<_, Clients>(
        &EC2_INSTANCE_REQUIRED_SECURITY_GROUP,
        &id,
        &reads,
        "ec2:ModifyNetworkInterfaceAttribute",
    )
    .await;
}

/// Instances of one VPC share what is known of its groups, and a denied page is a fault.
#[tokio::test]
async fn listing_instances_asks_for_the_groups_of_a_vpc_once() {
    let (region, here) = ("eu-north-1", Region::new("eu-north-1"));
    let free = Services::default();
    let ec2 = aws_sdk_ec2::Client::new(&free.sdk(region));
    ec2.run_instances().image_id("ami-12c6146b").min_count(3).max_count(3).send().await.unwrap();
    let listed = async |refusals: Vec<InjectedError>| {
        let services = Services::refusing(refusals);
        let settings = FunctionSettings { region: here.clone(), home_region: None };
        let rule = on_change_and_schedule::<_, Clients>(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP);
        let shell = RuleContext::over(rule, &services.sdk(region), settings);
        let event = rule_event(&scheduled(), &json!({"requiredGroups": "name:base"}), "token");
        let mut line = Invocation::start(EC2_INSTANCE_REQUIRED_SECURITY_GROUP.meta.id, "request");
        let result = handle(&shell, &event, &invocation(), &mut line).await;
        allowed(&entry(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP.meta).rule_permissions(), &services.calls());
        (result, services.calls(), services.evaluations())
    };
    let (result, calls, evaluations) = listed(vec![]).await;
    result.unwrap();
    assert_eq!(calls, ["ec2:DescribeInstances", "ec2:DescribeSecurityGroups"]);
    assert_eq!(evaluations[0]["Evaluations"].as_array().unwrap().len(), 3);
    let denied = |number| vec![InjectedError { operation: None, number, code: "UnauthorizedOperation" }];
    let (result, _, evaluations) = listed(denied(1)).await;
    assert_eq!((result.unwrap_err().kind(), evaluations), ("AccessDenied", vec![]));
    // The groups of one VPC are asked for once, and its instances alone go without a verdict.
    let (result, calls, evaluations) = listed(denied(2)).await;
    let fault = result.unwrap_err();
    assert_eq!((fault.kind(), calls.len(), evaluations), ("RunIncomplete", 2, vec![]));
    assert!(fault.to_string().starts_with("3 of 3 resources could not be read: AWS::EC2::Instance i-"), "{fault}");
}
