//! KMS keys.

use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

async fn key(world: &World) -> ResourceKey {
    let id = world.clients().kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    ResourceKey::new("AWS::KMS::Key", id.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn key_rotation_is_enabled_and_undone() {
    run_lifecycle("cmk-backing-key-rotation-enabled", "{}", key).await;
}
