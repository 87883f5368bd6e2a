//! Load balancers.

use rectify_compliance::{ConfigurationItem, NoParameters, Resource, ResourceKey, Target};
use rectify_elb::ELB_DELETION_PROTECTION_ENABLED;
use rectify_elb::resources::load_balancer::RecordedLoadBalancer;
use rectify_elb_lambda::Clients;
use rectify_runtime::client::ReadFacts;

use super::*;

/// A load balancer in `region`.
async fn balancer(name: &str, region: &str) -> Target {
    let sdk = Services::default().sdk(region);
    let subnets = aws_sdk_ec2::Client::new(&sdk).describe_subnets().send().await.unwrap().subnets.unwrap();
    let subnets = subnets.into_iter().take(2).map(|it| it.subnet_id.unwrap()).collect();
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(&sdk);
    let made = elb.create_load_balancer().name(name).set_subnets(Some(subnets)).send().await.unwrap();
    target(made.load_balancers()[0].load_balancer_arn().unwrap(), region)
}

fn target(arn: &str, region: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(region),
        resource: ResourceKey::new("AWS::ElasticLoadBalancingV2::LoadBalancer", arn),
        name: None,
        arn: None,
    }
}

fn unknown(region: &str) -> String {
    format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/unknown/50dc6c495c0c9188")
}

/// An item that does not state the attribute.
fn item(target: &Target) -> RecordedLoadBalancer {
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": ACCOUNT, "awsRegion": target.region, "resourceType": target.resource.kind,
        "resourceId": target.resource.id, "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {"loadBalancerName": "shop", "state": {"code": "active"}}
    }));
    RecordedLoadBalancer::from_item(&item.unwrap()).unwrap()
}

#[tokio::test]
async fn denied_read_of_a_load_balancer_is_an_error() {
    const HERE: &str = "eu-west-2";
    let (control, target) = (&ELB_DELETION_PROTECTION_ENABLED, balancer("denied", HERE).await);
    let free = Services::default();
    let read = control.logic.live(&Clients::connect(&free.sdk(HERE)), &target, &NoParameters {}).await;
    assert!(read.unwrap().is_some());
    assert_permitted(&entry(&control.meta).remediation_permissions(), &free.calls());
    assert_eq!(free.calls().len(), 3, "{:?}", free.calls());
    for number in 1..=free.calls().len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let clients = Clients::connect(&services.sdk(HERE));
        let error = control.logic.live(&clients, &target, &NoParameters {}).await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    }
}

/// `elb-deletion-protection-enabled/5`
#[tokio::test]
async fn attribute_that_an_item_does_not_state_is_read_and_a_denied_read_is_an_error() {
    const HERE: &str = "eu-west-2";
    let (control, here) = (&ELB_DELETION_PROTECTION_ENABLED, balancer("unstated", HERE).await);
    let facts = async |services: &Services, target: &Target| {
        let clients = Clients::connect(&services.sdk(HERE));
        control.logic.facts(&clients, target, &item(target), &NoParameters {}).await
    };
    let free = Services::default();
    assert_eq!(facts(&free, &here).await, Ok(Some(Some(false))));
    assert_permitted(&entry(&control.meta).rule_permissions(), &free.calls());
    assert_eq!(facts(&free, &target(&unknown(HERE), HERE)).await, Ok(None));
    let denied = Services::refusing([InjectedError { operation: None, number: 1, code: "AccessDenied" }]);
    let error = facts(&denied, &here).await.unwrap_err();
    assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
}

/// `elb-deletion-protection-enabled/7`
#[tokio::test]
async fn denied_modification_fails_terminally_and_a_deleted_load_balancer_ends_as_gone() {
    let sandbox = Sandbox::create().await;
    let target = balancer("unmodified", REGION).await;
    let operation = Some("elasticloadbalancing:ModifyLoadBalancerAttributes");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDenied" }]);
    let control = &ELB_DELETION_PROTECTION_ENABLED;
    let error = remediate::<_, Clients>(control, &services, &sandbox, &target.resource.id).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");

    let services = Services::default();
    let gone = remediate::<_, Clients>(control, &services, &sandbox, &unknown(REGION)).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["elasticloadbalancing:DescribeLoadBalancers"]);
}
