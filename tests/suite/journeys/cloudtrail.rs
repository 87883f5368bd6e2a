//! Trails.

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};

use super::travel;

/// A trail of this region that writes to a bucket of its own.
async fn trail(world: &World) -> ResourceKey {
    let clients = world.clients();
    clients.s3.create_bucket().bucket("logs").send().await.unwrap();
    clients.cloudtrail.create_trail().name("main").s3_bucket_name("logs").send().await.unwrap();
    ResourceKey::new("AWS::CloudTrail::Trail", "main")
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_is_turned_on_and_off_again() {
    travel("cloud-trail-log-file-validation-enabled", "{}", trail).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_trail_of_one_region_records_all_and_then_as_before() {
    let account = async |world: &World| {
        let trail = trail(world).await;
        let writes = EventSelector::builder().read_write_type(ReadWriteType::WriteOnly).include_management_events(true);
        let put = world.clients().cloudtrail.put_event_selectors().trail_name(trail.resource_id);
        put.event_selectors(writes.build()).send().await.unwrap();
        ResourceKey::new("AWS::::Account", ACCOUNT)
    };
    travel("multi-region-cloudtrail-enabled", r#"{"readWriteType": "ALL"}"#, account).await;
}
