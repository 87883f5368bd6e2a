//! Load balancers.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancerTypeEnum, Tag};
use rectify_compliance::NoParameters;
use rectify_elb::ELB_DELETION_PROTECTION_ENABLED;
use rectify_elb_lambda::Clients;
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, live, target};

/// The attributes of a load balancer.
async fn attributes(elb: &Client, arn: &str) -> BTreeMap<String, String> {
    let answer = elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await.unwrap();
    answer.attributes.unwrap().into_iter().map(|it| (it.key.unwrap(), it.value.unwrap_or_default())).collect()
}

/// `elb-deletion-protection-enabled/2`, `elb-deletion-protection-enabled/6`
#[tokio::test]
async fn deletion_protection_of_each_type_conforms_and_other_attributes_stay() {
    let sdk = Services::default().sdk(SEPARATE);
    let subnets = aws_sdk_ec2::Client::new(&sdk).describe_subnets().send().await.unwrap().subnets.unwrap();
    let subnets: Vec<String> = subnets.into_iter().take(2).map(|it| it.subnet_id.unwrap()).collect();
    let elb = Client::new(&sdk);
    for kind in [LoadBalancerTypeEnum::Application, LoadBalancerTypeEnum::Network] {
        let create = elb.create_load_balancer().name(format!("protected-{}", kind.as_str())).r#type(kind);
        let create = create.tags(Tag::builder().key("team").value("shop").build());
        let made = create.set_subnets(Some(subnets.clone())).send().await.unwrap();
        let arn = made.load_balancers()[0].load_balancer_arn().unwrap();
        let before = attributes(&elb, arn).await;
        let target = target(&ELB_DELETION_PROTECTION_ENABLED, SEPARATE, arn);
        let params = NoParameters {};
        let calls = assert_model_conforms::<_, Clients>(&ELB_DELETION_PROTECTION_ENABLED, &sdk, &target, &params).await;
        let value = r#"[{"Key":"deletion_protection.enabled","Value":"true"}]"#;
        let call = format!(r#"ModifyLoadBalancerAttributes {{"Attributes":{value},"LoadBalancerArn":"{arn}"}}"#);
        assert_eq!(calls, [call]);
        // Fixed and undone: every attribute is as before.
        assert_eq!(attributes(&elb, arn).await, before);

        let (control, clients) = (&ELB_DELETION_PROTECTION_ENABLED.logic, Clients::connect(&sdk));
        let read = live::<_, _>(&ELB_DELETION_PROTECTION_ENABLED, &clients, &target, &params).await;
        assert_eq!(read.tags.get("team").map(String::as_str), Some("shop"));
        let plan = rectify_compliance::Remediation::plan(control, &read, &params, rectify_compliance::Timestamp::now());
        control.apply(&clients, &target, plan.calls()[0]).await.unwrap();
        let mut expected = before;
        expected.insert("deletion_protection.enabled".to_owned(), "true".to_owned());
        assert_eq!(attributes(&elb, arn).await, expected);
    }
}
