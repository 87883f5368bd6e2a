//! The target bucket of access logs: whether S3 would deliver logs to it, and no delivery would be logged again.

use rectify_policy::{PolicyDocument, ServiceRequest};
use serde::{Deserialize, Serialize};

use crate::families::access::{Acl, Grantee, Ownership, Permission};
use crate::resources::bucket::{self, Identity};
use crate::resources::encryption::Algorithm;
use crate::resources::logging::LoggingEnabled;

/// The principal that delivers the logs.
const SERVICE: &str = "logging.s3.amazonaws.com";

/// The bucket that `targetBucket` names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// Not a bucket of the same account and region.
    Elsewhere,
    /// A bucket of the same account and region.
    Here(Box<Settings>),
}

/// The settings of a target bucket that decide about the delivery of logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Where its own access logs go; `None` if it has none.
    pub logging: Option<LoggingEnabled>,
    /// The algorithm of its default encryption, where one is set.
    pub algorithm: Option<Algorithm>,
    /// Whether it has Object Lock.
    pub object_lock: bool,
    /// Whether the requester pays.
    pub requester_pays: bool,
    /// Its policy, if there is one.
    pub policy: Option<PolicyDocument>,
    /// Its ACL.
    pub acl: Acl,
    /// Whether the ACL is in effect.
    pub ownership: Ownership,
}

impl Target {
    /// Why logs of `source` under `prefix` cannot go to this bucket, called `name`; empty if they can.
    pub fn blockers(&self, name: &str, source: &Identity, prefix: &str) -> Vec<String> {
        let Self::Here(settings) = self else {
            return vec![format!("target bucket {name} is not a bucket of this account in {}", source.region.as_str())];
        };
        let logs_itself = settings.logging.as_ref().map(|it| {
            format!("has access logs of its own, to {}, in which every delivery is logged again", it.target_bucket)
        });
        let encryption = settings.algorithm.filter(|it| *it != Algorithm::Aes256);
        let encryption = encryption.map(|it| format!("encrypts with {}, under which S3 delivers no logs", it.name()));
        let lock = settings.object_lock.then(|| "has Object Lock, under which S3 delivers no logs".to_owned());
        let payer = settings.requester_pays.then(|| "has Requester Pays, under which S3 delivers no logs".to_owned());
        let refused = (!settings.lets_s3_deliver(name, source, prefix))
            .then(|| format!("does not let {SERVICE} put objects under `{prefix}` for {}", source.name));
        let all = [logs_itself, encryption, lock, payer, refused];
        all.into_iter().flatten().map(|it| format!("target bucket {name} {it}")).collect()
    }
}

impl Settings {
    /// Whether the policy, or without a policy the ACL, allows the delivery.
    fn lets_s3_deliver(&self, name: &str, source: &Identity, prefix: &str) -> bool {
        let Some(policy) = &self.policy else { return self.acl_lets_s3_deliver() };
        // The `*` is that of a pattern: only a statement about all keys with the prefix matches it.
        let keys = format!("{}/{prefix}*", bucket::arn(&source.region, name));
        let context = [("aws:SourceAccount", source.account.as_str()), ("aws:SourceArn", source.arn.as_str())];
        let delivery =
            ServiceRequest { service: SERVICE, action: "s3:PutObject", resource: Some(&keys), context: &context };
        delivery.is_allowed_by(&policy.0)
    }

    fn acl_lets_s3_deliver(&self) -> bool {
        let grants = |permission: Permission| {
            let sufficient = [permission, Permission::FullControl];
            self.acl.iter().any(|it| it.grantee == Grantee::LogDelivery && sufficient.contains(&it.permission))
        };
        self.ownership != Ownership::BucketOwnerEnforced && grants(Permission::Write) && grants(Permission::ReadAcp)
    }
}
