//! Trails.

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};

use super::run_lifecycle;

/// A single-region trail and its bucket.
async fn trail(world: &World) -> ResourceKey {
    let clients = world.clients();
    clients.s3.create_bucket().bucket("logs").send().await.unwrap();
    clients.cloudtrail.create_trail().name("main").s3_bucket_name("logs").send().await.unwrap();
    ResourceKey::new("AWS::CloudTrail::Trail", "main")
}

#[tokio::test(flavor = "multi_thread")]
async fn validation_is_enabled_and_undone() {
    run_lifecycle("cloud-trail-log-file-validation-enabled", "{}", trail).await;
}

/// The key policy from CloudTrail's documentation, for all trails of the account.
const FOR_CLOUDTRAIL: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Resource": "*",
     "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
     "Condition": {"StringLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/*"}}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn trail_gets_a_key_and_undo_removes_it() {
    let unencrypted = async |world: &World| {
        let kms = &world.clients().kms;
        let key = kms.create_key().policy(FOR_CLOUDTRAIL).send().await.unwrap().key_metadata.unwrap().key_id;
        kms.create_alias().alias_name("alias/trails").target_key_id(key).send().await.unwrap();
        trail(world).await
    };
    let parameters = r#"{"remediationKeyArn": "arn:aws:kms:us-east-1:111122223333:alias/trails"}"#;
    run_lifecycle("cloud-trail-encryption-enabled", parameters, unencrypted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_region_trail_records_all_regions_and_is_undone() {
    let account = async |world: &World| {
        let trail = trail(world).await;
        let writes = EventSelector::builder().read_write_type(ReadWriteType::WriteOnly).include_management_events(true);
        let put = world.clients().cloudtrail.put_event_selectors().trail_name(trail.resource_id);
        put.event_selectors(writes.build()).send().await.unwrap();
        ResourceKey::new("AWS::::Account", ACCOUNT)
    };
    run_lifecycle("multi-region-cloudtrail-enabled", r#"{"readWriteType": "ALL"}"#, account).await;
}
