//! Trails.

use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

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
