//! Whether the requests to a bucket are logged, in the required place.

pub mod target;

use rectify_compliance::values::Globs;
use rectify_compliance::{
    ConfigurationItem, Control, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Resource,
    ResourceIdentity, ResourceState, ShapeError, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::target::Target;
use crate::resources::bucket::{BUCKETS, Identity, OwnedBucket, TYPES};
use crate::resources::logging::LoggingEnabled;

control! {
    /// ## What it checks
    ///
    /// That server access logging is on, to `targetBucket` and with `targetPrefix` where these are set.
    /// The bucket that `targetBucket` names and those of `logTargetBuckets` are NOT_APPLICABLE: a bucket that logs to itself logs the delivery of its logs, without end.
    /// Of the mapped requirements, CIS 3.4 concerns the buckets of CloudTrail trails only.
    ///
    /// ## Why it matters
    ///
    /// Without access logs, no one can say who read or deleted an object, unless CloudTrail records data events.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"destinationBucketName": "access-logs", "logFilePrefix": "pics/"}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"destinationBucketName": null, "logFilePrefix": null}
    /// ```
    ///
    /// Annotation: `Access logging is off`.
    ///
    /// ## Parameters
    ///
    /// A `targetBucket` is in one region, and S3 delivers logs only within a region: set it per region.
    /// A `targetPrefix` is the same for all buckets, so that their logs mix; without one, the fix uses a prefix per bucket.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketLogging` to `targetBucket`, with `targetPrefix` or else `<bucket>/`, level L1: it changes nothing for clients, and the logs cost their storage.
    /// It acts only where logging is off. Where logs go to another bucket or prefix, something may read them there: the redirection is planned for an operator.
    /// It is also planned and never applied where `targetBucket` is not set, is not a bucket of the same account and region, has KMS default encryption, Object Lock or Requester Pays, under which S3 delivers no logs, or has access logs of its own, since each delivery would then be logged again, and could come back in a circle.
    /// The target must let `logging.s3.amazonaws.com` put objects under the prefix: by its policy, in which every Deny for the whole prefix must be known not to apply (one for some keys is not considered), or, where it has no policy and its ACL is in effect, by the grants `WRITE` and `READ_ACP` to the group `LogDelivery`.
    /// The fix does not change the target.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: logging that is turned on in between is overwritten.
    /// Undo turns logging off; delivered logs stay.
    /// IAM has no separate action for turning it off: `s3:PutBucketLogging` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-logging-enabled.html)
    /// - [Server access logging](https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html)
    /// - [Permissions for log delivery](https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html)
    /// - [PutBucketLogging](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html)
    /// - [Security Hub S3.9](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-9)
    pub S3_BUCKET_LOGGING_ENABLED: S3BucketLoggingEnabled {
        id: "s3-bucket-logging-enabled",
        title: "Bucket requests are not logged",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L1,
        frameworks: {
            Cis30: ["3.4"],
            Cis50: ["3.4"],
            Fsbp: ["S3.9"],
            Nist80053r5: ["AU-2", "AU-3", "AU-6(3)", "AU-10", "AU-12", "CA-7", "SI-7(8)"],
            Pci40: ["10.2.1", "10.2.2", "10.3.1"],
        },
    }
}

parameters! {
    /// The place of the logs.
    pub Params, check: Params::names_a_bucket {
        /// The required target bucket, which the remediation also uses. Default: any bucket, and no fix.
        target_bucket: Option<String> = None,
        /// The required prefix of the logs' keys, compared exactly. Default: any.
        target_prefix: Option<String> = None,
        /// Further buckets for access logs, which are not evaluated: a comma-separated list of names and patterns with
        /// `*` and `?`. Default: none.
        log_target_buckets: Option<Globs> = None,
    }
}

impl Params {
    fn names_a_bucket(&self) -> Result<(), String> {
        let is_name = |it: &str| {
            (3..=63).contains(&it.len())
                && it.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-._".contains(&it))
        };
        match self.target_bucket.as_deref().filter(|it| !is_name(it)) {
            Some(other) => Err(format!("targetBucket: expected the name of one bucket: received `{other}`")),
            None => Ok(()),
        }
    }

    fn is_for_logs(&self, name: &str) -> bool {
        self.target_bucket.as_deref() == Some(name)
            || self.log_target_buckets.as_ref().is_some_and(|it| it.matches(name))
    }

    /// The target bucket, where a fix could send the logs to it; only then its settings are read.
    pub fn target_for(&self, live: &Subject) -> Option<&str> {
        let is_off = live.logging.is_none() && !self.is_for_logs(&live.bucket.name);
        self.target_bucket.as_deref().filter(|_| is_off)
    }
}

/// A bucket and its access logging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Where its logs go; `None` if logging is off.
    pub logging: Option<LoggingEnabled>,
    /// The bucket that the fix would send them to; read only by a remediation, and only if logging is off.
    pub target: Option<Target>,
}

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Resource for Subject {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { bucket: Identity::of_item(item), logging: LoggingEnabled::from_item(item)?, target: None })
    }
}

impl Control for S3BucketLoggingEnabled {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        if params.is_for_logs(&subject.bucket.name) {
            return Verdict::not_applicable("a bucket for access logs");
        }
        let Some(LoggingEnabled { target_bucket, target_prefix }) = &subject.logging else {
            return Verdict::non_compliant("Access logging is off");
        };
        if let Some(required) = params.target_bucket.as_ref().filter(|it| *it != target_bucket) {
            return Verdict::non_compliant(format!("Access logs go to {target_bucket}; required {required}"));
        }
        if let Some(required) = params.target_prefix.as_ref().filter(|it| *it != target_prefix) {
            return Verdict::non_compliant(format!("Access logs have prefix `{target_prefix}`; required `{required}`"));
        }
        Verdict::COMPLIANT
    }
}

/// Input of `PutBucketLogging`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutLogging {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: OwnedBucket,
    /// `BucketLoggingStatus`.
    pub bucket_logging_status: LoggingStatus,
}

/// `BucketLoggingStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoggingStatus {
    /// `LoggingEnabled`; without it, logging is turned off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging_enabled: Option<LoggingEnabled>,
}

/// The call of fix and undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Turns logging on; the undo turns it off.
    PutBucketLogging(PutLogging),
}

fn put(bucket: &Identity, logging_enabled: Option<LoggingEnabled>) -> Action {
    let bucket_logging_status = LoggingStatus { logging_enabled };
    Action::PutBucketLogging(PutLogging { bucket: bucket.owned(), bucket_logging_status })
}

impl Remediation for S3BucketLoggingEnabled {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::unscoped("s3:ListAllMyBuckets"),
                    Permission::on("s3:GetBucketAcl", BUCKETS),
                    Permission::on("s3:GetBucketLogging", BUCKETS),
                    Permission::on("s3:GetBucketObjectLockConfiguration", BUCKETS),
                    Permission::on("s3:GetBucketOwnershipControls", BUCKETS),
                    Permission::on("s3:GetBucketPolicy", BUCKETS),
                    Permission::on("s3:GetBucketRequestPayment", BUCKETS),
                    Permission::on("s3:GetBucketTagging", BUCKETS),
                    Permission::on("s3:GetEncryptionConfiguration", BUCKETS),
                ],
                fix: &[Permission::on("s3:PutBucketLogging", BUCKETS)],
                undo: &[Permission::on("s3:PutBucketLogging", BUCKETS)],
            }
        }
    }

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        let Some(name) = &params.target_bucket else {
            let instruction =
                "choose a bucket of the same account and region for the access logs, and set targetBucket";
            return Plan::blocked("targetBucket is not set", vec![Step::manual(Level::L0, instruction)]);
        };
        let prefix = params.target_prefix.clone().unwrap_or_else(|| format!("{}/", live.bucket.name));
        if let Some(current) = &live.logging {
            let instruction = format!("redirect the access logs to {name} with prefix `{prefix}`, and what reads them");
            let reason = format!("access logs already go to {}/{}", current.target_bucket, current.target_prefix);
            return Plan::blocked(reason, vec![Step::manual(Level::L0, instruction)]);
        }
        let blockers = match &live.target {
            Some(target) => target.blockers(name, &live.bucket, &prefix),
            None => vec![format!("target bucket {name} was not read")],
        };
        let logging = LoggingEnabled { target_bucket: name.clone(), target_prefix: prefix };
        Plan::unless(blockers, vec![Step::call(Level::L1, put(&live.bucket, Some(logging)))])
    }

    /// Sets the status. The target is not read again.
    fn predict(&self, live: Subject, action: &Action) -> Subject {
        let Action::PutBucketLogging(put) = action;
        if put.bucket.name != live.bucket.name {
            return live;
        }
        Subject { logging: put.bucket_logging_status.logging_enabled.clone(), target: None, ..live }
    }

    fn touched_fields(&self, subject: &Subject, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "LoggingEnabled": subject.logging }) }
    }

    /// A call was made only where logging was off.
    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        Ok(done.iter().map(|_| put(&before.bucket, None)).collect())
    }
}

#[cfg(test)]
mod tests;
