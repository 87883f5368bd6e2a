//! Tags of EC2 and of another service, and parameters stored in Systems Manager.

use aws_sdk_ec2::types::{GatewayType, ResourceType, Tag, TagSpecification};
use aws_sdk_ssm::types::ParameterType;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Control, ResourceKey, Target, Timestamp, Verdict};
use rectify_ec2::controls::required_tags::RequiredTagsParameters;
use rectify_ec2::resources::tagged_resource::TYPES;
use rectify_ec2::{REQUIRED_TAGS, RequiredTags};
use rectify_ec2_lambda::Clients;
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::services::Services;

use super::*;

fn parameters(text: &str) -> RequiredTagsParameters {
    RuleParameters::<RequiredTagsParameters>::parse(Some(text)).unwrap().control
}

fn of_type(kind: &str, id: &str) -> Target {
    Target { resource: ResourceKey::new(kind, id), ..target(&REQUIRED_TAGS, SEPARATE, id) }
}

fn tagged(kind: ResourceType) -> TagSpecification {
    let name = Tag::builder().key("Name").value("data").build();
    TagSpecification::builder().resource_type(kind).tags(name).build()
}

#[tokio::test]
async fn written_tags_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let create = ec2.create_volume().availability_zone("ap-southeast-2a").size(1);
    let volume = create.tag_specifications(tagged(ResourceType::Volume)).send().await.unwrap().volume_id.unwrap();
    let params = parameters(r#"{"tag1Key":"Owner","tag2Key":"Name","defaults":{"Owner":"unassigned"}}"#);
    let target = of_type("AWS::EC2::Volume", &volume);
    let calls = assert_model_conforms::<_, Clients>(&REQUIRED_TAGS, &sdk, &target, &params).await;
    let expected =
        format!(r#"CreateTags {{"Resources":["{volume}"],"Tags":[{{"Key":"Owner","Value":"unassigned"}}]}}"#);
    assert_eq!(calls, [expected]);
}

#[tokio::test]
async fn stored_parameters_are_read_and_rejected_if_they_conflict() {
    let sdk = Services::default().sdk(SEPARATE);
    let (ec2, ssm) = (aws_sdk_ec2::Client::new(&sdk), aws_sdk_ssm::Client::new(&sdk));
    let put = async |name: &str, value: &str| {
        let put = ssm.put_parameter().name(name).value(value).r#type(ParameterType::String).overwrite(true);
        put.send().await.unwrap();
    };
    put("/rectify/tags", r#"{"Team": {"values": ["web", "net"]}}"#).await;
    put("/rectify/values", r#"{"Team": "net"}"#).await;
    let create = ec2.create_volume().availability_zone("ap-southeast-2a").size(1);
    let volume = create.tag_specifications(tagged(ResourceType::Volume)).send().await.unwrap().volume_id.unwrap();
    let text = r#"{"tag1Key":"Name","required":"ssm:/rectify/tags","defaults":"ssm:/rectify/values"}"#;
    let (target, params) = (of_type("AWS::EC2::Volume", &volume), parameters(text));
    let calls = assert_model_conforms::<_, Clients>(&REQUIRED_TAGS, &sdk, &target, &params).await;
    assert!(calls[0].contains(r#"{"Key":"Team","Value":"net"}"#), "{calls:?}");

    let clients = Clients::connect(&sdk);
    put("/rectify/values", r#"{"Team": "sales"}"#).await;
    let refused = RequiredTags.live(&clients, &target, &params).await.unwrap_err();
    assert!(refused.to_string().contains("`sales` is not an allowed value of the tag `Team`"), "{refused}");
    put("/rectify/values", "Team=net").await;
    let refused = RequiredTags.live(&clients, &target, &params).await.unwrap_err();
    assert!(refused.to_string().starts_with("ssm:/rectify/values: expected JSON"), "{refused}");
    ssm.delete_parameter().name("/rectify/values").send().await.unwrap();
    let refused = RequiredTags.live(&clients, &target, &params).await.unwrap_err();
    assert!(refused.is("ParameterNotFound"), "{refused}");
}

/// Each type has its own live read: an id unknown to EC2 is gone, and a known resource has its tags.
#[tokio::test]
async fn deleted_ec2_resources_are_not_untagged_ones() {
    let sdk = Services::default().sdk(SEPARATE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let clients = Clients::connect(&sdk);
    let params = parameters(r#"{"tag1Key":"Name"}"#);
    let vpc = ec2.create_vpc().cidr_block("10.9.0.0/16").tag_specifications(tagged(ResourceType::Vpc));
    let vpc = vpc.send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.9.1.0/24").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    let gateway = ec2.create_vpn_gateway().r#type(GatewayType::Ipsec1).send().await.unwrap();
    let gateway = gateway.vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    let interface = ec2.create_network_interface().subnet_id(&subnet).send().await.unwrap();
    let interface = interface.network_interface.unwrap().network_interface_id.unwrap();
    let rows = [
        ("AWS::EC2::VPC", vpc.as_str(), "COMPLIANT"),
        ("AWS::EC2::Subnet", subnet.as_str(), "NON_COMPLIANT"),
        ("AWS::EC2::VPNGateway", gateway.as_str(), "NON_COMPLIANT"),
        ("AWS::EC2::NetworkInterface", interface.as_str(), "NON_COMPLIANT"),
    ];
    for (kind, id, expected) in rows {
        let live = RequiredTags.live(&clients, &of_type(kind, id), &params).await.unwrap().unwrap();
        let verdict: Verdict = RequiredTags.evaluate(&live, &params, Timestamp::now());
        assert_eq!(verdict.compliance_type(), expected, "{kind}");
    }
    for (kind, prefix) in TYPES
        .iter()
        .filter(|it| it.starts_with("AWS::EC2::"))
        .zip(["cgw", "i", "igw", "acl", "eni", "rtb", "sg", "subnet", "vpc", "vpn", "vgw", "vol"])
    {
        let gone = format!("{prefix}-00000000000000000");
        let live = RequiredTags.live(&clients, &of_type(kind, &gone), &params).await;
        assert_eq!(live.unwrap(), None, "{kind}");
    }
}

#[tokio::test]
async fn tags_of_another_service_are_read_by_arn() {
    let sdk = Services::default().sdk(SEPARATE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let configuration = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::from(SEPARATE))
        .build();
    s3.create_bucket().bucket("tagged-by-arn").create_bucket_configuration(configuration).send().await.unwrap();
    let tag = aws_sdk_s3::types::Tag::builder().key("Owner").value("ada").build().unwrap();
    let tags = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
    s3.put_bucket_tagging().bucket("tagged-by-arn").tagging(tags).send().await.unwrap();
    let clients = Clients::connect(&sdk);
    let (target, params) = (of_type("AWS::S3::Bucket", "tagged-by-arn"), parameters(r#"{"tag1Key":"Owner"}"#));
    let live = RequiredTags.live(&clients, &target, &params).await.unwrap().unwrap();
    assert_eq!(live.tags, [("Owner".to_owned(), "ada".to_owned())].into());
    assert_eq!(live.arn.as_deref(), Some("arn:aws:s3:::tagged-by-arn"));
}
