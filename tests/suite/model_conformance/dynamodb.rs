//! DynamoDB tables.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, Tag};
use rectify_compliance::NoParameters;
use rectify_dynamodb::DYNAMODB_PITR_ENABLED;
use rectify_dynamodb_lambda::Clients;
use rectify_runtime::client::Connect;
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, live, target};

#[tokio::test]
async fn point_in_time_recovery_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = aws_sdk_dynamodb::Client::new(&sdk).create_table().table_name("recovered");
    let create = create.billing_mode(BillingMode::PayPerRequest).key_schema(key.build().unwrap());
    let tag = Tag::builder().key("team").value("shop").build().unwrap();
    create.attribute_definitions(attribute.build().unwrap()).tags(tag).send().await.unwrap();
    let target = target(&DYNAMODB_PITR_ENABLED, SEPARATE, "recovered");
    let calls = assert_model_conforms::<_, Clients>(&DYNAMODB_PITR_ENABLED, &sdk, &target, &NoParameters {}).await;
    let input = r#"{"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true},"TableName":"recovered"}"#;
    assert_eq!(calls, [format!("UpdateContinuousBackups {input}")]);
    let read = live::<_, _>(&DYNAMODB_PITR_ENABLED, &Clients::connect(&sdk), &target, &NoParameters {}).await;
    assert_eq!(read.tags.get("team").map(String::as_str), Some("shop"));
}
