//! Queues.

use aws_sdk_sqs::types::QueueAttributeName;
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

async fn queue(world: &World) -> ResourceKey {
    let create = world.clients().sqs.create_queue().queue_name("jobs");
    let url = create.attributes(QueueAttributeName::SqsManagedSseEnabled, "false").send().await.unwrap().queue_url;
    ResourceKey::new("AWS::SQS::Queue", url.unwrap().as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_of_a_queue_is_enabled_and_undone() {
    run_lifecycle("sqs-queue-encrypted", "{}", queue).await;
}
