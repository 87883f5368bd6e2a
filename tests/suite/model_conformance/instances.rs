//! Instances. moto 5.2.5 resets the metadata options that a call omits, while EC2 keeps them, so the instance has the
//! defaults. Its CloudWatch is called in JSON, since moto does not support the SDK's CBOR.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use aws_types::SdkConfig;
use rectify_ec2::controls::ec2_imdsv2_check::Ec2Imdsv2CheckParameters;
use rectify_ec2::resources::instance_metadata::TokenlessCalls;
use rectify_ec2::{
    EC2_IMDSV2_CHECK, EC2_INSTANCE_REQUIRED_SECURITY_GROUP, Ec2Imdsv2Check, Ec2InstanceRequiredSecurityGroup,
};
use rectify_ec2_lambda::Clients;
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, target};

async fn instance(sdk: &SdkConfig) -> String {
    let ec2 = aws_sdk_ec2::Client::new(sdk);
    let made = ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1).send().await.unwrap();
    made.instances()[0].instance_id().unwrap().to_owned()
}

/// Puts datapoints of `MetadataNoToken`: days ago, number of calls.
async fn put_calls(sdk: &SdkConfig, instance: &str, points: &[(i64, f64)]) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(sdk);
    let now = jiff::Timestamp::now().as_second();
    for (days, calls) in points {
        let datum = MetricDatum::builder()
            .metric_name("MetadataNoToken")
            .dimensions(Dimension::builder().name("InstanceId").value(instance).build())
            .timestamp(DateTime::from_secs(now - days * 86_400 + 600))
            .value(*calls);
        let put = cloudwatch.put_metric_data().namespace("AWS/EC2").metric_data(datum.build());
        put.send().await.unwrap();
    }
}

#[tokio::test]
async fn required_tokens_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let id = instance(&sdk).await;
    put_calls(&sdk, &id, &[(14, 0.0), (3, 0.0)]).await;
    let target = target(&EC2_IMDSV2_CHECK, SEPARATE, &id);
    let calls = assert_model_conforms::<_, Clients>(&EC2_IMDSV2_CHECK, &sdk, &target, &Default::default()).await;
    let expected = format!("ModifyInstanceMetadataOptions {{\"HttpTokens\":\"required\",\"InstanceId\":\"{id}\"}}");
    assert_eq!(calls, [expected]);
}

/// `ec2-imdsv2-check/6`, `ec2-imdsv2-check/7`: the plan counts CloudWatch's datapoints of this instance only.
#[tokio::test]
async fn calls_without_a_token_are_summed_per_instance_and_period() {
    let sdk = Services::default().sdk(SEPARATE);
    let (own, other) = (instance(&sdk).await, instance(&sdk).await);
    let clients = Clients::connect(&sdk);
    let counted = async |days: u32| {
        let params: Ec2Imdsv2CheckParameters =
            serde_json::from_value(serde_json::json!({"observationDays": days})).unwrap();
        let target = target(&EC2_IMDSV2_CHECK, SEPARATE, &own);
        Ec2Imdsv2Check.live(&clients, &target, &params).await.unwrap().unwrap().tokenless_calls.unwrap()
    };
    put_calls(&sdk, &other, &[(2, 5.0)]).await;
    assert_eq!(counted(14).await, TokenlessCalls { observed_days: 0, calls: 0 });
    put_calls(&sdk, &own, &[(10, 2.0), (2, 1.0), (20, 9.0)]).await;
    assert_eq!(counted(14).await, TokenlessCalls { observed_days: 10, calls: 3 });
    assert_eq!(counted(5).await, TokenlessCalls { observed_days: 2, calls: 1 });
}

/// A group of the default VPC, or of another one.
async fn group(sdk: &SdkConfig, name: &str, vpc: Option<&str>) -> String {
    let create = aws_sdk_ec2::Client::new(sdk).create_security_group().group_name(name).description(name);
    create.set_vpc_id(vpc.map(str::to_owned)).send().await.unwrap().group_id.unwrap()
}

#[tokio::test]
async fn groups_of_every_interface_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let (own, base) = (group(&sdk, "model-own", None).await, group(&sdk, "model-base", None).await);
    let run = ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1).security_group_ids(&own);
    let made = run.send().await.unwrap();
    let instance = &made.instances()[0];
    let (id, subnet) = (instance.instance_id().unwrap(), instance.subnet_id().unwrap());
    let second = ec2.create_network_interface().subnet_id(subnet).groups(&own).send().await.unwrap();
    let second = second.network_interface.unwrap().network_interface_id.unwrap();
    let attach = ec2.attach_network_interface().network_interface_id(&second).instance_id(id).device_index(1);
    attach.send().await.unwrap();

    let text = r#"{"requiredGroups": "name:model-base", "scope": "allEnis"}"#;
    let params = serde_json::from_str(text).unwrap();
    let target = target(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP, SEPARATE, id);
    let calls =
        assert_model_conforms::<_, Clients>(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    let both = format!("ModifyNetworkInterfaceAttribute {{\"Groups\":[\"{own}\",\"{base}\"]");
    assert!(calls.iter().all(|call| call.starts_with(&both)), "{calls:?}");
}

/// `ec2-instance-required-security-group/2`: the request names the instance's VPC, and wildcards match nothing.
#[tokio::test]
async fn groups_of_another_vpc_or_by_wildcard_do_not_satisfy() {
    let sdk = Services::default().sdk(SEPARATE);
    let vpc = aws_sdk_ec2::Client::new(&sdk).create_vpc().cidr_block("10.8.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc.unwrap().vpc_id.unwrap();
    let abroad = group(&sdk, "abroad", Some(&vpc)).await;
    let here = group(&sdk, "wild-card", None).await;
    let id = instance(&sdk).await;
    let clients = Clients::connect(&sdk);
    let required = format!("{abroad}, {here}, name:abroad, name:wild-card, name:wild*, tag:a=b");
    let params = serde_json::from_value(serde_json::json!({"requiredGroups": required})).unwrap();
    let target = target(&EC2_INSTANCE_REQUIRED_SECURITY_GROUP, SEPARATE, &id);
    let live = Ec2InstanceRequiredSecurityGroup.live(&clients, &target, &params).await.unwrap().unwrap();
    let found: Vec<(&str, usize)> = live.found.0.iter().map(|(selector, ids)| (selector.as_str(), ids.len())).collect();
    let mut expected = vec![
        (abroad.as_str(), 0),
        (here.as_str(), 1),
        ("name:abroad", 0),
        ("name:wild*", 0),
        ("name:wild-card", 1),
        ("tag:a=b", 0),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}
