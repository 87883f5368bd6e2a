//! Tags.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A volume with a `Name` tag and without an `Owner` tag.
async fn volume(world: &World) -> ResourceKey {
    let name = Tag::builder().key("Name").value("data").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Volume).tags(name).build();
    let create = world.clients().ec2.create_volume().availability_zone("us-east-1a").size(1).tag_specifications(tags);
    ResourceKey::new("AWS::EC2::Volume", create.send().await.unwrap().volume_id.unwrap())
}

/// Excludes the default resources of an account: each of them would be a finding too.
const PARAMETERS: &str = r#"{"tag1Key": "Owner", "defaults": "{\"Owner\": \"unassigned\"}",
    "excludeResources": "vpc-*, subnet-*, igw-*, rtb-*, acl-*, sg-*"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn missing_tag_is_written_and_undone() {
    run_lifecycle("required-tags", PARAMETERS, volume).await;
}
