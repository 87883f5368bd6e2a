//! Clients of the proxy; the access key that signs a call identifies its caller.

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};
use aws_types::SdkConfig;
use rectify_compliance::Region;
use rectify_runtime::Error;
use rectify_runtime::clients::{WithoutAccountInHost, sdk_config};
use rectify_runtime::settings::Environment;

use crate::proxy::Proxy;
use crate::stack::{Named, Table};

/// A caller: its access key and the name that the proxy records.
pub(super) type Caller = (&'static str, &'static str);

/// The operator, or the test in that role.
pub(super) const OPERATOR: Caller = ("LKIAOPERATOR", "operator");
/// The recorder.
pub(super) const RECORDER: Caller = ("LKIARECORDER", "recorder");
/// Local AWS itself, which creates queues, rules and tables.
pub(super) const INTERNAL: Caller = ("LKIAINTERNAL", "rectify-local");

/// One client per service, all for one region and one caller.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The shared configuration, for services without a field here.
    pub sdk: SdkConfig,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// S3, with path-style addressing.
    pub s3: aws_sdk_s3::Client,
    /// S3 Control, without the account in the host name.
    pub s3control: aws_sdk_s3control::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// CloudTrail.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// CloudWatch: alarms and metrics.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// KMS.
    pub kms: aws_sdk_kms::Client,
    /// RDS.
    pub rds: aws_sdk_rds::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// Systems Manager: parameters.
    pub ssm: aws_sdk_ssm::Client,
    /// DynamoDB: the ledger.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
}

impl Clients {
    pub(super) fn new(proxy: &Proxy, region: &str, (access_key, name): Caller) -> Result<Self, Error> {
        proxy.register_caller(access_key, name);
        let environment = Environment::of([
            ("AWS_ACCESS_KEY_ID", access_key),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL", proxy.endpoint()),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        let sdk = sdk_config(&environment, &Region::new(region))?;
        let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build();
        let s3control = aws_sdk_s3control::config::Builder::from(&sdk).interceptor(WithoutAccountInHost).build();
        Ok(Self {
            ec2: aws_sdk_ec2::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(s3),
            s3control: aws_sdk_s3control::Client::from_conf(s3control),
            iam: aws_sdk_iam::Client::new(&sdk),
            cloudtrail: aws_sdk_cloudtrail::Client::new(&sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&sdk),
            logs: aws_sdk_cloudwatchlogs::Client::new(&sdk),
            kms: aws_sdk_kms::Client::new(&sdk),
            rds: aws_sdk_rds::Client::new(&sdk),
            sns: aws_sdk_sns::Client::new(&sdk),
            ssm: aws_sdk_ssm::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            events: aws_sdk_eventbridge::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            sdk,
        })
    }
}

/// Creates a table of the template.
///
/// # Errors
/// DynamoDB's error, with its chain of causes.
pub(super) async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, table: &Table) -> Result<(), String> {
    let mut create = dynamodb.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in &table.attributes {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::from(kind.as_str()));
        create = create.attribute_definitions(attribute.build().map_err(incomplete)?);
    }
    create = create.set_key_schema(Some(key(&table.key)?));
    for index in &table.indexes {
        let included = (!index.attributes.is_empty()).then(|| index.attributes.clone());
        let projection = Projection::builder()
            .projection_type(ProjectionType::from(index.projection.as_str()))
            .set_non_key_attributes(included)
            .build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key(&index.key)?))
            .projection(projection);
        create = create.global_secondary_indexes(index.build().map_err(incomplete)?);
    }
    create.send().await.map_err(|error| DisplayErrorContext(&error).to_string())?;
    if let Some(attribute) = &table.time_to_live {
        let expiry =
            TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build().map_err(incomplete)?;
        let update = dynamodb.update_time_to_live().table_name(&table.name).time_to_live_specification(expiry);
        update.send().await.map_err(|error| DisplayErrorContext(&error).to_string())?;
    }
    Ok(())
}

fn key(parts: &[Named]) -> Result<Vec<KeySchemaElement>, String> {
    let element = |(name, role): &Named| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(KeyType::from(role.as_str()))
            .build()
            .map_err(incomplete)
    };
    parts.iter().map(element).collect()
}

fn incomplete(error: impl std::error::Error) -> String {
    DisplayErrorContext(&error).to_string()
}
