//! Instances: a denied read is an error of the rule and of the remediation.

use rectify_ec2::{EC2_IMDSV2_CHECK, EC2_INSTANCE_REQUIRED_SECURITY_GROUP};
use rectify_ec2_lambda::Clients;
use rectify_runtime::rule::on_change;
use rectify_tests::events::change;

use super::*;

/// Runs a change-triggered rule on an item of type `kind` against these services.
async fn changed(
    rule: &Rule,
    services: &Services,
    kind: &str,
    id: &str,
    configuration: &Value,
    parameters: &Value,
) -> Result<(), Error> {
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let context = RuleContext::over(rule.clone(), &services.sdk(REGION), settings);
    let mut item = rectify_tests::events::item(id, &[]);
    item["resourceType"] = json!(kind);
    item["ARN"] = Value::Null;
    item["configuration"] = configuration.clone();
    let event = rule_event(&change(&item), parameters, "token");
    let mut line = Invocation::start(rule.meta.id, "request");
    let result = handle(&context, &event, &invocation(), &mut line).await;
    assert_permitted(&entry(rule.meta).rule_permissions(), &services.calls());
    result
}

/// Runs a change-triggered rule with each of its reads denied in turn.
pub(super) async fn each_denied_fact_is_an_error(
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
        let error = changed(rule, &services, kind, id, configuration, parameters).await.unwrap_err();
        assert_eq!((error.kind(), services.evaluations()), ("AccessDenied", vec![]), "{}: {error}", calls[number - 1]);
    }
}

/// Denies each read of a remediation in turn: it fails with the read's name and never calls `write`.
pub(super) async fn each_denied_live_read_is_an_error<K, C>(
    control: &'static Declared<K>,
    id: &str,
    reads: &[&str],
    write: &str,
) where
    K: Fix<C>,
    C: Connect,
{
    for (number, read) in (1..).zip(reads) {
        let sandbox = Sandbox::create().await;
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDeniedException" }]);
        let error = remediate::<_, C>(control, &services, &sandbox, id).await.unwrap_err();
        assert_eq!(error.kind(), "AccessDenied", "{read}: {error}");
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
async fn denied_read_of_metadata_options_is_an_error() {
    let id = instance().await;
    let old = json!({"state": {"name": "running"}});
    each_denied_fact_is_an_error(
        &on_change::<_, Clients>(&EC2_IMDSV2_CHECK),
        "AWS::EC2::Instance",
        &id,
        &old,
        &json!({}),
    )
    .await;
    let reads = ["ec2:DescribeInstances", "cloudwatch:GetMetricData"];
    let write = "ec2:ModifyInstanceMetadataOptions";
    each_denied_live_read_is_an_error::<_, Clients>(&EC2_IMDSV2_CHECK, &id, &reads, write).await;
}

/// An item with metadata options is evaluated without a call; an item of a terminated instance is not applicable.
#[tokio::test]
async fn options_are_read_only_if_the_item_lacks_them() {
    let item =
        json!({"state": {"name": "running"}, "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "optional"}});
    let services = Services::default();
    changed(&on_change::<_, Clients>(&EC2_IMDSV2_CHECK), &services, "AWS::EC2::Instance", "i-0", &item, &json!({}))
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
async fn denied_read_of_groups_or_interfaces_is_an_error() {
    let id = instance().await;
    let old = json!({"state": {"name": "running"}, "vpcId": "vpc-0", "securityGroups": [{"groupId": "sg-1"}]});
    let parameters = json!({"requiredGroups": "name:base, sg-1", "scope": "allEnis"});
    each_denied_fact_is_an_error(
        &on_change_and_schedule::<_, Clients>(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP),
        "AWS::EC2::Instance",
        &id,
        &old,
        &parameters,
    )
    .await;
    // Without parameters no group is required, so only the first two reads are made.
    let reads = ["ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces"];
    each_denied_live_read_is_an_error::<_, Clients>(
        &EC2_INSTANCE_REQUIRED_SECURITY_GROUP,
        &id,
        &reads,
        "ec2:ModifyNetworkInterfaceAttribute",
    )
    .await;
}

/// Instances of one VPC share the list of its groups, and a denied page is an error.
#[tokio::test]
async fn groups_of_a_vpc_are_listed_once_for_its_instances() {
    let (region, here) = ("eu-north-1", Region::new("eu-north-1"));
    let free = Services::default();
    let ec2 = aws_sdk_ec2::Client::new(&free.sdk(region));
    ec2.run_instances().image_id("ami-12c6146b").min_count(3).max_count(3).send().await.unwrap();
    let listed = async |refusals: Vec<InjectedError>| {
        let services = Services::refusing(refusals);
        let settings = FunctionSettings { region: here.clone(), home_region: None };
        let rule = on_change_and_schedule::<_, Clients>(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP);
        let context = RuleContext::over(rule, &services.sdk(region), settings);
        let event = rule_event(&scheduled(), &json!({"requiredGroups": "name:base"}), "token");
        let mut line = Invocation::start(EC2_INSTANCE_REQUIRED_SECURITY_GROUP.meta.id, "request");
        let result = handle(&context, &event, &invocation(), &mut line).await;
        assert_permitted(&entry(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP.meta).rule_permissions(), &services.calls());
        (result, services.calls(), services.evaluations())
    };
    let (result, calls, evaluations) = listed(vec![]).await;
    result.unwrap();
    assert_eq!(calls, ["ec2:DescribeInstances", "ec2:DescribeSecurityGroups"]);
    assert_eq!(evaluations[0]["Evaluations"].as_array().unwrap().len(), 3);
    let denied = |number| vec![InjectedError { operation: None, number, code: "UnauthorizedOperation" }];
    let (result, _, evaluations) = listed(denied(1)).await;
    assert_eq!((result.unwrap_err().kind(), evaluations), ("AccessDenied", vec![]));
    // The groups of the VPC are requested once, and only its instances have no verdict.
    let (result, calls, evaluations) = listed(denied(2)).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), calls.len(), evaluations.len()), ("RunIncomplete", 2, 1));
    assert_eq!(evaluations[0]["Evaluations"], json!([]));
    assert!(error.to_string().starts_with("3 of 3 resources could not be read: AWS::EC2::Instance i-"), "{error}");
}
