//! DynamoDB tables. The ledger is one too: it is evaluated and fixed beside the table of the journey.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A table without point-in-time recovery.
async fn table(world: &World) -> ResourceKey {
    let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = world.clients().dynamodb.create_table().table_name("orders").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute.build().unwrap()).key_schema(key.build().unwrap());
    create.send().await.unwrap();
    ResourceKey::new("AWS::DynamoDB::Table", "orders")
}

#[tokio::test(flavor = "multi_thread")]
async fn point_in_time_recovery_is_turned_on_and_undone() {
    run_lifecycle("dynamodb-pitr-enabled", "{}", table).await;
}
