//! Instances.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A running instance.
async fn instance(world: &World) -> String {
    let run = world.clients().ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1);
    let made = run.send().await.unwrap();
    made.instances()[0].instance_id().unwrap().to_owned()
}

/// An instance that allows IMDSv1 and has had no IMDSv1 call for two weeks.
async fn instance_without_required_tokens(world: &World) -> ResourceKey {
    let id = instance(world).await;
    let now = jiff::Timestamp::now().as_second();
    for day in 1..=14 {
        let datum = MetricDatum::builder()
            .metric_name("MetadataNoToken")
            .dimensions(Dimension::builder().name("InstanceId").value(&id).build())
            .timestamp(DateTime::from_secs(now - day * 86_400 + 3600))
            .unit(StandardUnit::Count)
            .value(0.0)
            .build();
        world.clients().cloudwatch.put_metric_data().namespace("AWS/EC2").metric_data(datum).send().await.unwrap();
    }
    ResourceKey::new("AWS::EC2::Instance", id)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_required_and_undone() {
    run_lifecycle("ec2-imdsv2-check", "{}", instance_without_required_tokens).await;
}

/// An instance without the required security group.
async fn instance_without_required_group(world: &World) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    ec2.create_security_group().group_name("base").description("for every instance").send().await.unwrap();
    let own = ec2.create_security_group().group_name("own").description("its own").send().await.unwrap();
    let run = ec2.run_instances().image_id("ami-12c6146b").min_count(1).max_count(1);
    let made = run.security_group_ids(own.group_id().unwrap()).send().await.unwrap();
    ResourceKey::new("AWS::EC2::Instance", made.instances()[0].instance_id().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn required_group_is_added_and_undone() {
    let parameters = r#"{"requiredGroups": "name:base"}"#;
    run_lifecycle("ec2-instance-required-security-group", parameters, instance_without_required_group).await;
}
