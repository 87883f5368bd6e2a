//! Topics.

use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A topic without a key, and a key that it can have.
async fn topic(world: &World) -> ResourceKey {
    let (sns, kms) = (&world.clients().sns, &world.clients().kms);
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    kms.create_alias().alias_name("alias/topics").target_key_id(key).send().await.unwrap();
    let arn = sns.create_topic().name("alarms").send().await.unwrap().topic_arn.unwrap();
    ResourceKey::new("AWS::SNS::Topic", arn.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn key_of_a_topic_is_set_and_undone() {
    run_lifecycle("sns-encrypted-kms", r#"{"kmsKeyId": "alias/topics"}"#, topic).await;
}
