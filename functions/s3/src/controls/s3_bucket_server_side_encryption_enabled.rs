//! Whether a bucket encrypts new objects with the required algorithm and key.

pub mod requirement;

use std::collections::BTreeSet;

use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::{
    Annotation, Control, FromItem, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step,
    Timestamp, Verdict, control, offenders,
};
use serde_json::{Value, json};

use self::requirement::{
    Action, Facts, Keys, Params, PutEncryption, RecordedEncryption, Subject, Undo, refuses_unencrypted,
};
use crate::resources::bucket::{BUCKETS, TYPES};
use crate::resources::encryption::{Algorithm, ByDefault, Rule};

control! {
    /// ## What it checks
    ///
    /// That the bucket's default encryption is the required algorithm or a stronger one (`aws:kms:dsse`, then `aws:kms`, then `AES256`), with an allowed key.
    /// By default any algorithm is sufficient, `aws:fsx` included; where an algorithm is required, `aws:fsx` is a finding.
    /// Where the item lacks the encryption, as old items do, it is read from S3.
    /// A bucket without default encryption is compliant only where any algorithm is sufficient and its policy denies everyone `s3:PutObject` on all objects without the header `x-amz-server-side-encryption`.
    /// Keys are compared by the ARNs that ids and aliases resolve to; where the bucket's key does not exist, that is a finding, and a key in `kmsKeyArns` that does not exist fails the rule.
    ///
    /// ## Why it matters
    ///
    /// With a KMS key, reading an object also requires permission for the key, and every use of the key is logged; encrypting later means copying every object.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyID": "arn:${AWS::Partition}:kms:eu-west-1:111122223333:key/1"}}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// With `requiredAlgorithm` `aws:kms`:
    ///
    /// ```json
    /// {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256", "kmsMasterKeyID": null}}
    /// ```
    ///
    /// Annotation: `Default encryption is AES256; aws:kms required`.
    ///
    /// ## Parameters
    ///
    /// `kmsKeyArns` and `requireCmk` each imply at least `aws:kms`.
    /// `requireBucketKey` applies to buckets that encrypt with `aws:kms`, whatever the required algorithm: `aws:kms:dsse` does not support bucket keys, and with `AES256` they have no effect.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketEncryption` with the complete rule: the stronger of the current and the required algorithm, the current key if it is allowed or else the only key of `kmsKeyArns`, the bucket key on where it is on or required, and the blocked encryption types unchanged.
    /// Level L1 where nothing was set and `AES256` is sufficient; every change that involves KMS is L2, since readers then need `kms:Decrypt` and each use of the key costs money.
    /// It is planned and never applied where an operator must choose the key (several are allowed, or `requireCmk` without `kmsKeyArns`), where the key is not enabled, not symmetric or in another region, where the bucket is a target of server access logs, which S3 does not deliver under KMS default encryption, or may be the target of buckets that the remediation cannot read, and where `aws:fsx` would have to be replaced.
    /// Existing objects stay unchanged.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the rule in between is overwritten.
    /// Undo restores the previous rule, or removes the rule where there was none; S3 then applies its default, `AES256`.
    /// IAM has no separate action for removing the rule: `s3:PutEncryptionConfiguration` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-server-side-encryption-enabled.html)
    /// - [Default encryption](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html)
    /// - [Amazon S3 Bucket Keys](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html)
    /// - [PutBucketEncryption](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html)
    /// - [Security Hub S3.17](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-17)
    pub S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED: S3BucketServerSideEncryptionEnabled {
        id: "s3-bucket-server-side-encryption-enabled",
        title: "Bucket does not encrypt new objects as required",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L2,
        frameworks: {
            Fsbp: ["S3.4", "S3.17"],
            Nist80053r5: ["AU-9", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"],
            Pci40: ["3.5.1", "8.3.2"],
        },
    }
}

const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", "arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*");

impl Control for S3BucketServerSideEncryptionEnabled {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        let required = params.required();
        let Some(algorithm) = subject.rule.as_ref().and_then(Rule::algorithm) else {
            return match required {
                None if subject.refuses_unencrypted => {
                    Verdict::Compliant(Some(Annotation::new("bucket policy refuses unencrypted objects")))
                }
                None => Verdict::non_compliant("No default encryption"),
                Some(required) => {
                    Verdict::non_compliant(format!("No default encryption; {} required", required.name()))
                }
            };
        };
        if let Some(required) = required.filter(|required| algorithm.strength() < required.strength()) {
            let (current, required) = (algorithm.name(), required.name());
            return Verdict::non_compliant(format!("Default encryption is {current}; {required} required"));
        }
        if let Some(violation) = key_violation(subject, params) {
            return Verdict::non_compliant(violation);
        }
        if params.requires_bucket_key(algorithm) && !subject.has_bucket_key() {
            return Verdict::non_compliant("Bucket key is off; required with aws:kms");
        }
        Verdict::COMPLIANT
    }
}

/// The violation by the key of a rule whose algorithm is strong enough; `None` if there is none.
fn key_violation(subject: &Subject, params: &Params) -> Option<String> {
    let named = subject.rule.as_ref().and_then(Rule::key);
    if !params.keys_matter() || is_allowed(subject, params) {
        return None;
    }
    let shown = named.unwrap_or("aws/s3");
    let Some(keys) = &subject.keys else { return Some(format!("Key {shown} was not read")) };
    Some(match (&named, &keys.current) {
        (Some(named), None) => format!("Key {named} not found"),
        _ if params.require_cmk.0 && keys.current.as_ref().is_none_or(|key| key.aws_managed) => {
            format!("Key {shown} is managed by AWS; a customer managed key is required")
        }
        _ => format!("Key {shown} is not in kmsKeyArns"),
    })
}

/// Whether the current key is allowed.
fn is_allowed(subject: &Subject, params: &Params) -> bool {
    let Some(keys) = &subject.keys else { return !params.keys_matter() };
    let named = subject.rule.as_ref().and_then(Rule::key).is_some();
    let of_customer = keys.current.as_ref().is_some_and(|key| !key.aws_managed);
    let listed = match (&keys.current, named) {
        (Some(current), _) => keys.allowed.iter().any(|key| key.arn == current.arn),
        // No key named means `aws/s3`, the only AWS managed key that S3 uses by default.
        (None, false) => keys.allowed.iter().any(|key| key.aws_managed),
        (None, true) => false,
    };
    (!params.require_cmk.0 || of_customer) && (params.kms_key_arns.is_none() || listed)
}

impl FromItem for S3BucketServerSideEncryptionEnabled {
    type Resource = RecordedEncryption;
    type Facts = Facts;
    fn fact_permissions(&self) -> &'static [Permission] {
        const {
            &[
                Permission::on("s3:GetEncryptionConfiguration", BUCKETS),
                Permission::on("s3:GetBucketPolicy", BUCKETS),
                DESCRIBE_KEY,
            ]
        }
    }

    fn subject(&self, recorded: RecordedEncryption, facts: Facts) -> Subject {
        Subject {
            refuses_unencrypted: refuses_unencrypted(facts.policy.as_ref(), &recorded.bucket.arn),
            bucket: recorded.bucket,
            rule: recorded.rule.filter(|rule| rule.algorithm().is_some()).or(facts.rule),
            keys: facts.keys,
            log_sources: None,
            unreadable_sources: BTreeSet::new(),
        }
    }
}

/// The rule to set, or why an operator must choose it.
fn target_rule(live: &Subject, params: &Params) -> Result<Rule, String> {
    let before = live.rule.clone().unwrap_or_default();
    let required = params.required().unwrap_or(Algorithm::Aes256);
    let algorithm = match before.algorithm() {
        Some(Algorithm::Fsx) => return Err("aws:fsx: its replacement is unknown".to_owned()),
        Some(current) if current.strength() >= required.strength() => current,
        Some(_) | None => required,
    };
    let key = if algorithm.uses_kms() { target_key(live, params)? } else { before.key().map(str::to_owned) };
    let bucket_key_enabled = match algorithm {
        Algorithm::Dsse if before.algorithm() != Some(Algorithm::Dsse) => Some(false), // DSSE has no bucket keys
        _ if params.requires_bucket_key(algorithm) => Some(true),
        _ => Some(before.bucket_key_enabled.unwrap_or(false)), // S3 returns an absent one as off
    };
    Ok(Rule {
        apply_server_side_encryption_by_default: Some(ByDefault { algorithm, key }),
        bucket_key_enabled,
        blocked_encryption_types: before.blocked_encryption_types,
    })
}

/// The key to set: the current one if it is allowed, else the only allowed one.
fn target_key(live: &Subject, params: &Params) -> Result<Option<String>, String> {
    let current = live.rule.as_ref().and_then(Rule::key).map(str::to_owned);
    let with_kms = live.rule.as_ref().and_then(Rule::algorithm).is_some_and(Algorithm::uses_kms);
    let usable = |key: &KmsKey| match key.blockers_in(&live.bucket.region).as_slice() {
        [] => Ok(()),
        reasons => Err(reasons.join("; ")),
    };
    if !params.keys_matter() || (with_kms && is_allowed(live, params)) {
        live.keys.as_ref().and_then(|keys| keys.current.as_ref()).map_or(Ok(()), usable)?;
        return Ok(current);
    }
    let allowed = live.keys.as_ref().map_or(&[][..], |keys| &keys.allowed);
    match allowed.iter().filter(|key| !(params.require_cmk.0 && key.aws_managed)).collect::<Vec<&KmsKey>>().as_slice() {
        [only] => usable(only).map(|()| Some(only.arn.clone())),
        [] => Err("key: kmsKeyArns names no key that can be used".to_owned()),
        several => {
            Err(format!("key: an operator must choose among {}", offenders(several.iter().map(|key| &*key.arn))))
        }
    }
}

/// Whether the fix would set KMS encryption, so that the plan needs the log sources.
pub fn sets_kms_encryption(live: &Subject, params: &Params) -> bool {
    let finding = S3BucketServerSideEncryptionEnabled.evaluate(live, params, Timestamp::UNIX_EPOCH).is_non_compliant();
    finding && target_rule(live, params).is_ok_and(|rule| rule.algorithm().is_some_and(Algorithm::uses_kms))
}

impl Remediation for S3BucketServerSideEncryptionEnabled {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::unscoped("s3:ListAllMyBuckets"),
                    Permission::on("s3:GetEncryptionConfiguration", BUCKETS),
                    Permission::on("s3:GetBucketLogging", BUCKETS),
                    Permission::on("s3:GetBucketPolicy", BUCKETS),
                    Permission::on("s3:GetBucketTagging", BUCKETS),
                    DESCRIBE_KEY,
                ],
                fix: &[Permission::on("s3:PutEncryptionConfiguration", BUCKETS)],
                undo: &[Permission::on("s3:PutEncryptionConfiguration", BUCKETS)],
            }
        }
    }

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        let rule = match target_rule(live, params) {
            Ok(rule) => rule,
            Err(reason) => {
                let instruction = "choose an algorithm and a key, and set them as the default encryption of the bucket";
                return Plan::blocked(reason, vec![Step::manual(Level::L2, instruction)]);
            }
        };
        let kms = rule.algorithm().is_some_and(Algorithm::uses_kms);
        let level = if kms { Level::L2 } else { Level::L1 };
        let steps = vec![Step::call(level, Action::PutBucketEncryption(PutEncryption::of(&live.bucket, rule)))];
        let blocker = match &live.log_sources {
            _ if !kms => None,
            None => Some("the sources of server access logs were not read".to_owned()),
            Some(sources) if !sources.is_empty() => Some(format!(
                "target of the server access logs of {}; KMS default encryption ends their delivery",
                named(sources)
            )),
            Some(_) => (!live.unreadable_sources.is_empty()).then(|| {
                format!(
                    "buckets that cannot be read may deliver access logs here, and KMS default encryption ends their \
                     delivery: {}",
                    named(&live.unreadable_sources)
                )
            }),
        };
        Plan::unless(blocker, steps)
    }

    /// Sets the complete rule. The values read only for the decision are reset, or follow from the new key.
    fn predict(&self, live: Subject, action: &Action) -> Subject {
        let Action::PutBucketEncryption(put) = action;
        let Some(rule) = put.rule().cloned() else { return live };
        let same_key = live.rule.as_ref().and_then(Rule::key) == rule.key();
        let keys = live.keys.map(|keys| {
            let allowed = || keys.allowed.iter().find(|key| Some(key.arn.as_str()) == rule.key()).cloned();
            Keys { current: if same_key { keys.current.clone() } else { allowed() }, ..keys.clone() }
        });
        Subject {
            rule: Some(rule),
            keys,
            refuses_unencrypted: false,
            log_sources: None,
            unreadable_sources: BTreeSet::new(),
            ..live
        }
    }

    fn touched_fields(&self, subject: &Subject, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "Rule": subject.rule }) }
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![match &before.rule {
            Some(rule) => Undo::PutBucketEncryption(PutEncryption::of(&before.bucket, rule.clone())),
            None => Undo::DeleteBucketEncryption(before.bucket.owned()),
        }])
    }
}

fn named(sources: &BTreeSet<String>) -> String {
    offenders(sources.iter().cloned())
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod laws;
