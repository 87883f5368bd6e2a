//! AWS Config's recorder: reads resources from the backend and gives the engine an item for each one that changed.
//!
//! It keeps no state: the engine's history holds the last recorded items.
//! It knows the calls that describe a resource and the shape of its item, but nothing about rules.

mod acl;
mod bucket;
mod database;
mod file_system;
mod function;
mod instance;
mod key;
mod lifecycle;
mod load_balancer;
mod observation;
mod policy;
mod queue;
mod security_group;
mod snapshot;
mod table;
mod tagged;
mod topic;
mod trail;
mod user;
mod wrong_xml_root;

use std::collections::BTreeSet;
use std::future::Future;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};

use self::observation::Observation;
use self::tagged::Tagged;
use crate::engine::{Engine, EngineError, EngineSettings, Recorded, ResourceKey};

/// The clients that the recorder reads with, all for the engine's account and region.
#[derive(Debug, Clone)]
pub struct Readers {
    /// Security groups.
    pub ec2: aws_sdk_ec2::Client,
    /// Buckets, with path-style addressing.
    pub s3: aws_sdk_s3::Client,
    /// Trails.
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    /// Users and policies.
    pub iam: aws_sdk_iam::Client,
    /// Databases.
    pub rds: aws_sdk_rds::Client,
    /// Keys.
    pub kms: aws_sdk_kms::Client,
    /// Tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Load balancers.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Topics.
    pub sns: aws_sdk_sns::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Functions.
    pub lambda: aws_sdk_lambda::Client,
    /// File systems.
    pub efs: aws_sdk_efs::Client,
}

impl Readers {
    /// Clients with one configuration. S3 uses path-style addressing: on loopback there is no host per bucket.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self {
            ec2: aws_sdk_ec2::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            cloudtrail: aws_sdk_cloudtrail::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            rds: aws_sdk_rds::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            efs: aws_sdk_efs::Client::new(config),
        }
    }
}

/// The reader of a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Bucket,
    DbCluster,
    DbClusterSnapshot,
    DbInstance,
    DbSnapshot,
    FileSystem,
    Function,
    Key,
    Instance,
    LoadBalancer,
    Policy,
    Queue,
    SecurityGroup,
    Table,
    Tagged(Tagged),
    Topic,
    Trail,
    User,
}

/// Every type that the recorder can read. A new type needs a reader and a row here.
const READERS: &[(&str, Reader)] = &[
    ("AWS::CloudTrail::Trail", Reader::Trail),
    ("AWS::DynamoDB::Table", Reader::Table),
    ("AWS::EC2::CustomerGateway", Reader::Tagged(Tagged::CustomerGateway)),
    ("AWS::EC2::Instance", Reader::Instance),
    ("AWS::EC2::InternetGateway", Reader::Tagged(Tagged::InternetGateway)),
    ("AWS::EC2::NetworkAcl", Reader::Tagged(Tagged::NetworkAcl)),
    ("AWS::EC2::NetworkInterface", Reader::Tagged(Tagged::NetworkInterface)),
    ("AWS::EC2::RouteTable", Reader::Tagged(Tagged::RouteTable)),
    ("AWS::EC2::SecurityGroup", Reader::SecurityGroup),
    ("AWS::EC2::Subnet", Reader::Tagged(Tagged::Subnet)),
    ("AWS::EC2::VPC", Reader::Tagged(Tagged::Vpc)),
    ("AWS::EC2::VPNConnection", Reader::Tagged(Tagged::VpnConnection)),
    ("AWS::EC2::VPNGateway", Reader::Tagged(Tagged::VpnGateway)),
    ("AWS::EC2::Volume", Reader::Tagged(Tagged::Volume)),
    ("AWS::EFS::FileSystem", Reader::FileSystem),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", Reader::LoadBalancer),
    ("AWS::IAM::Policy", Reader::Policy),
    ("AWS::IAM::User", Reader::User),
    ("AWS::KMS::Key", Reader::Key),
    ("AWS::Lambda::Function", Reader::Function),
    ("AWS::RDS::DBCluster", Reader::DbCluster),
    ("AWS::RDS::DBClusterSnapshot", Reader::DbClusterSnapshot),
    ("AWS::RDS::DBInstance", Reader::DbInstance),
    ("AWS::RDS::DBSnapshot", Reader::DbSnapshot),
    ("AWS::S3::Bucket", Reader::Bucket),
    ("AWS::SNS::Topic", Reader::Topic),
    ("AWS::SQS::Queue", Reader::Queue),
];

/// Why the recorder failed.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// A type without a reader.
    #[error("recorder: `{0}`: no reader for this type; supported: {known}", known = types().join(", "))]
    UnknownType(String),
    /// A call that the backend refused.
    #[error("recorder: {operation}: {resource}: {code}: {message}")]
    Call {
        /// The operation, with its service.
        operation: &'static str,
        /// The resource that the call was about.
        resource: String,
        /// The service's error code; `unknown` without one.
        code: String,
        /// The error with its chain of causes.
        message: String,
    },
    /// An answer without a field that AWS always sends, or with a value that an item cannot express.
    #[error("recorder: {resource}: `{field}`: {why}")]
    Answer {
        /// The resource.
        resource: String,
        /// The invalid field.
        field: &'static str,
        /// The reason.
        why: String,
    },
    /// The engine refused the item.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The difference of a resource from its last item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It was deleted.
    Deleted,
}

/// A recorded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The resource.
    pub resource: ResourceKey,
    /// The kind of change.
    pub kind: ChangeKind,
    /// The rules that the engine invoked for it.
    pub recorded: Recorded,
}

/// Reads the resources of some types and records the changed ones.
#[derive(Debug)]
pub struct Recorder {
    engine: Engine,
    readers: Readers,
    types: Vec<(&'static str, Reader)>,
    /// Two concurrent ticks would record one change twice.
    running: tokio::sync::Mutex<()>,
}

/// The types that a recorder can read, by name.
pub fn types() -> Vec<&'static str> {
    READERS.iter().map(|(name, _)| *name).collect()
}

impl Recorder {
    /// A recorder of these types; duplicates are ignored.
    ///
    /// # Errors
    /// A type without a reader.
    pub fn new<T: AsRef<str>>(engine: Engine, readers: Readers, types: &[T]) -> Result<Self, RecorderError> {
        Ok(Self { engine, readers, types: select(types)?, running: tokio::sync::Mutex::default() })
    }

    /// Reads all resources once, records each change, and returns the changes in recording order.
    ///
    /// A resource is recorded as deleted only after all pages of its type were read.
    /// While AWS Config's recorder is off, nothing is read; changes made meanwhile are recorded when it is on again.
    /// Concurrent ticks run one after the other.
    ///
    /// # Errors
    /// The first call that fails; changes recorded before it stay, and the next tick records the rest.
    pub async fn tick(&self) -> Result<Vec<Change>, RecorderError> {
        let _exclusive = self.running.lock().await;
        let mut changes = Vec::new();
        if !self.engine.is_recording() {
            return Ok(changes);
        }
        for (resource_type, reader) in &self.types {
            let observations = self.read(*reader).await?;
            self.record(resource_type, observations, &mut changes)?;
        }
        Ok(changes)
    }

    fn read(&self, reader: Reader) -> impl Future<Output = Result<Vec<Observation>, RecorderError>> + Send {
        let Self { readers, engine, .. } = self;
        let settings: &EngineSettings = engine.settings();
        async move {
            match reader {
                Reader::Bucket => bucket::read(&readers.s3, settings).await,
                Reader::DbCluster => database::read_clusters(&readers.rds, settings).await,
                Reader::DbClusterSnapshot => snapshot::read_of_clusters(&readers.rds, settings).await,
                Reader::DbInstance => database::read_instances(&readers.rds, settings).await,
                Reader::DbSnapshot => snapshot::read_of_instances(&readers.rds, settings).await,
                Reader::FileSystem => file_system::read(&readers.efs, settings).await,
                Reader::Function => function::read(&readers.lambda, settings).await,
                Reader::Key => key::read(&readers.kms, settings).await,
                Reader::Instance => instance::read(&readers.ec2, settings).await,
                Reader::LoadBalancer => load_balancer::read(&readers.elb, settings).await,
                Reader::Policy => policy::read(&readers.iam).await,
                Reader::Queue => queue::read(&readers.sqs, settings).await,
                Reader::SecurityGroup => security_group::read(&readers.ec2, settings).await,
                Reader::Table => table::read(&readers.dynamodb, settings).await,
                Reader::Tagged(kind) => tagged::read(kind, &readers.ec2, settings).await,
                Reader::Topic => topic::read(&readers.sns, settings).await,
                Reader::Trail => trail::read(&readers.cloudtrail, settings).await,
                Reader::User => user::read(&readers.iam).await,
            }
        }
    }

    fn record(
        &self,
        resource_type: &str,
        observations: Vec<Observation>,
        changes: &mut Vec<Change>,
    ) -> Result<(), RecorderError> {
        let mut seen = BTreeSet::new();
        for observation in observations {
            let key = ResourceKey::new(resource_type, observation.resource_id.as_str());
            if let Some((kind, item)) = observation.against(&self.engine, &key) {
                let recorded = self.engine.record(item)?;
                changes.push(Change { resource: key.clone(), kind, recorded });
            }
            seen.insert(key);
        }
        for deleted in self.engine.recorded(resource_type).into_iter().filter(|key| !seen.contains(key)) {
            let recorded = self.engine.record_deleted(&deleted)?;
            changes.push(Change { resource: deleted, kind: ChangeKind::Deleted, recorded });
        }
        Ok(())
    }
}

fn select<T: AsRef<str>>(types: &[T]) -> Result<Vec<(&'static str, Reader)>, RecorderError> {
    let mut selected = Vec::new();
    for requested in types {
        let row = READERS.iter().copied().find(|(name, _)| *name == requested.as_ref());
        let row = row.ok_or_else(|| RecorderError::UnknownType(requested.as_ref().to_owned()))?;
        if !selected.contains(&row) {
            selected.push(row);
        }
    }
    Ok(selected)
}

/// Maps a failed call to the error that names it.
fn failed<E>(operation: &'static str, resource: &str) -> impl FnOnce(E) -> RecorderError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    move |error| RecorderError::Call {
        operation,
        resource: resource.to_owned(),
        code: error.code().unwrap_or("unknown").to_owned(),
        message: DisplayErrorContext(&error).to_string(),
    }
}

/// The answer, or none if the error has one of these codes, which mean that there is nothing.
fn unless<T, E: ProvideErrorMetadata>(absent: &[&str], answer: Result<T, E>) -> Result<Option<T>, E> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code().is_some_and(|code| absent.contains(&code)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A value that the service always sends; an error if it is missing.
fn required<T>(resource: &str, field: &'static str, value: Option<T>) -> Result<T, RecorderError> {
    let missing = || RecorderError::Answer { resource: resource.to_owned(), field, why: "missing".to_owned() };
    value.ok_or_else(missing)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn type_without_a_reader_is_an_error_that_lists_the_supported_types() {
        let error = select(&["AWS::S3::Bucket", "AWS::ACM::Certificate"]).unwrap_err().to_string();
        let known = types().join(", ");
        assert_eq!(error, format!("recorder: `AWS::ACM::Certificate`: no reader for this type; supported: {known}"));
        assert!(types().is_sorted(), "{known}");
    }

    #[test]
    fn duplicate_type_is_read_once() {
        let selected = select(&["AWS::S3::Bucket", "AWS::IAM::User", "AWS::S3::Bucket"]).unwrap();
        assert_eq!(selected, [("AWS::S3::Bucket", Reader::Bucket), ("AWS::IAM::User", Reader::User)]);
    }
}
