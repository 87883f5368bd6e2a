//! `sns-encrypted-kms`: a topic is not encrypted with a KMS key.

use std::collections::BTreeSet;

use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::values::{Flag, StringList};
use rectify_compliance::{
    Arn, Control, FromItem, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions,
    ResourceIdentity, ResourceState, SetCall, Step, Timestamp, Verdict, control, parameters,
};
use rectify_policy::{Effect, IdentityKind, Principal, ServiceRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::topic::{KEY, SET, TOPICS, TYPE, Topic};

control! {
    /// ## What it checks
    /// That a topic has a KMS key (`KmsMasterKeyId`).
    /// With `kmsKeyIds`, the key must be one of these, and with `acceptManagedKey` false it must not be managed by AWS; ids, ARNs and aliases are resolved with `kms:DescribeKey`.
    ///
    /// ## Why it matters
    /// Messages wait on disk for subscribers that do not answer; without a key, no key policy limits who can have them decrypted.
    ///
    /// ## Compliant example
    /// ```json
    /// {"TopicArn": "arn:${AWS::Partition}:sns:eu-west-1:111122223333:alarms", "KmsMasterKeyId": "alias/topics"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"TopicArn": "arn:${AWS::Partition}:sns:eu-west-1:111122223333:alarms"}
    /// ```
    /// Annotation: `Topic alarms has no KMS key`.
    ///
    /// ## Parameters
    /// `kmsKeyIds` and `acceptManagedKey` decide which keys count, `kmsKeyId` which key the remediation sets.
    ///
    /// ## Remediation
    /// L2: `sns:SetTopicAttributes` with `KmsMasterKeyId`, only if `kmsKeyId` is set.
    /// What may break: publishers, including AWS services, that the key policy does not allow `kms:GenerateDataKey*` and `kms:Decrypt`.
    /// It is planned and never applied if the key is not enabled, symmetric, customer managed and in the topic's region, if it is not in `kmsKeyIds`, and if its policy does not plainly allow both actions to each service that the topic's policy names.
    /// The key of AWS, `alias/aws/sns`, is refused: its policy cannot be changed, and alarms, EventBridge and S3 cannot publish through it.
    /// Publishers that use identities of an account are not known and not checked.
    /// SNS has no conditional write, so milliseconds pass between the last read and the write; the call sends only this attribute.
    /// Undo restores the previous key, or none.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/sns-encrypted-kms.html)
    /// - [Encryption at rest in SNS](https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html)
    /// - [Key management for SNS](https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html)
    /// - [SetTopicAttributes](https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html)
    pub SNS_ENCRYPTED_KMS: SnsEncryptedKms {
        id: "sns-encrypted-kms",
        title: "Topic is not encrypted with a KMS key",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Nist80053r5: ["CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"],
            Pci40: ["3.5.1", "8.3.2"],
        },
    }
}

parameters! {
    /// The parameters of [`SnsEncryptedKms`]; the managed rule has `kmsKeyIds`.
    pub TopicKeyParameters {
        /// The allowed keys, a comma-separated list of ids, ARNs and aliases. Default: any key.
        kms_key_ids: Option<StringList> = None,
        /// The key that the remediation sets: id, ARN or alias. Default: none; the remediation only plans.
        kms_key_id: Option<String> = None,
        /// Whether a key that AWS manages counts. Default true.
        accept_managed_key: Flag = Flag(true),
    }
}

impl TopicKeyParameters {
    /// Whether the verdict depends on the key.
    pub fn keys_matter(&self) -> bool {
        self.kms_key_ids.is_some() || !self.accept_managed_key.0
    }
}

/// The actions that a publisher needs on the key.
const USES: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

/// The keys of the function's own region and account.
const KEYS: &str = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*";
const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", KEYS);

/// A topic and the keys that matter to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopicWithKeys {
    /// The topic.
    pub topic: Topic,
    /// Its key and the allowed keys; read only if the verdict depends on them.
    pub keys: Option<Keys>,
    /// The key of `kmsKeyId`; read only by a remediation.
    pub candidate: Option<Candidate>,
}

/// The key of a topic, and the allowed keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// The key of the topic; `None` where it has none, or the key does not exist.
    pub current: Option<KmsKey>,
    /// The ARNs of `kmsKeyIds`.
    pub allowed: Vec<String>,
}

/// A key that a remediation may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    /// The key.
    pub key: KmsKey,
    /// The services of the topic's policy, each with an action that the key's policy does not plainly allow it.
    pub refused: Vec<String>,
}

impl Candidate {
    /// The key, checked against its policy for the services that publish to the topic.
    pub fn new(key: KmsKey, policy: &Value, topic: &Topic) -> Self {
        let account =
            topic.arn.parse().ok().and_then(|it: Arn| it.account()).map_or_else(String::new, |it| it.to_string());
        let context = [("aws:SourceAccount", account.as_str())];
        let request = |service, action| ServiceRequest { service, action, resource: Some(&key.arn), context: &context };
        let services = publishers(topic);
        let pairs = services.iter().flat_map(|service| USES.iter().map(move |action| (service.as_str(), *action)));
        let refused = pairs.filter(|(service, action)| !request(service, action).is_allowed_by(policy));
        let refused = refused.map(|(service, action)| format!("{service} {action}")).collect();
        Self { key, refused }
    }

    /// Why this key may not be set on the topic.
    fn blockers(&self, topic: &Topic, keys: Option<&Keys>) -> Vec<String> {
        let Self { key, refused } = self;
        let region = topic.arn.parse().ok().and_then(|it: Arn| it.region());
        let mut reasons = region.map_or_else(Vec::new, |it| key.blockers_in(&it));
        if key.aws_managed {
            reasons.push(format!("key {} is managed by AWS, and its policy cannot allow publishers", key.arn));
        }
        if keys.is_some_and(|it| !it.allowed.is_empty() && !it.allowed.contains(&key.arn)) {
            reasons.push(format!("key {} is not in kmsKeyIds", key.arn));
        }
        if !refused.is_empty() {
            reasons.push(format!("the policy of key {} does not plainly allow {}", key.arn, refused.join(", ")));
        }
        reasons
    }
}

/// The services that the topic's policy allows an action.
fn publishers(topic: &Topic) -> BTreeSet<String> {
    let statements = topic.policy.iter().flat_map(|it| &it.policy().0).filter(|it| it.effect == Effect::Allow);
    let identities = statements.flat_map(|it| match &it.principal {
        Some(Principal::Of(identities)) => identities.as_slice(),
        Some(Principal::AllButSome) | None => &[],
    });
    identities.filter(|it| it.kind == IdentityKind::Service).map(|it| it.value.clone()).collect()
}

impl ResourceState for TopicWithKeys {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.topic.identity()
    }
}

impl Control for SnsEncryptedKms {
    type Params = TopicKeyParameters;
    type Subject = TopicWithKeys;

    fn evaluate(&self, subject: &TopicWithKeys, params: &TopicKeyParameters, _now: Timestamp) -> Verdict {
        let name = subject.topic.name();
        let Some(id) = &subject.topic.kms_key else {
            return Verdict::non_compliant(format!("Topic {name} has no KMS key"));
        };
        let key = subject.keys.as_ref().and_then(|it| it.current.as_ref());
        match (key, &subject.keys) {
            _ if !params.keys_matter() => Verdict::COMPLIANT,
            (Some(key), Some(keys)) => {
                if params.kms_key_ids.is_some() && !keys.allowed.contains(&key.arn) {
                    Verdict::non_compliant(format!("Topic {name}: key {id} is not in kmsKeyIds"))
                } else if key.aws_managed && !params.accept_managed_key.0 {
                    Verdict::non_compliant(format!("Topic {name}: key {id} is managed by AWS"))
                } else {
                    Verdict::COMPLIANT
                }
            }
            _ => Verdict::non_compliant(format!("Topic {name}: key {id} does not exist")),
        }
    }
}

impl FromItem for SnsEncryptedKms {
    type Resource = Topic;
    /// The keys, if the verdict depends on them.
    type Facts = Option<Keys>;

    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE_KEY]
    }

    fn subject(&self, topic: Topic, keys: Option<Keys>) -> TopicWithKeys {
        TopicWithKeys { topic, keys, candidate: None }
    }
}

impl Remediation for SnsEncryptedKms {
    type Action = SetCall;
    type Undo = SetCall;

    fn permissions(&self) -> RemediationPermissions {
        const READ: &[Permission] = &[
            Permission::on("sns:GetTopicAttributes", TOPICS),
            Permission::on("sns:ListTagsForResource", TOPICS),
            DESCRIBE_KEY,
            Permission::on("kms:GetKeyPolicy", KEYS),
        ];
        RemediationPermissions { read: READ, fix: SET.permissions, undo: SET.permissions }
    }

    fn fix(&self, live: &TopicWithKeys, params: &TopicKeyParameters, _now: Timestamp) -> Plan<SetCall> {
        let TopicWithKeys { topic, keys, candidate } = live;
        let Some(id) = &params.kms_key_id else {
            let instruction = "set kmsKeyId to a key that publishers may use, or KmsMasterKeyId of the topic";
            return Plan::steps_in_order(vec![Step::manual(Level::L2, instruction)]);
        };
        let blockers = match candidate {
            Some(candidate) => candidate.blockers(topic, keys.as_ref()),
            None => vec![format!("key {id} does not exist")],
        };
        Plan::unless(blockers, vec![Step::call(Level::L2, SET.member(KEY).of(&topic.arn, id))])
    }

    fn predict(&self, mut live: TopicWithKeys, action: &SetCall) -> TopicWithKeys {
        if let Ok(Some(id)) = action.value::<String>(SET.member(KEY), &live.topic.arn) {
            live.topic.kms_key = Some(id).filter(|it| !it.is_empty());
            let current = live.candidate.as_ref().map(|it| it.key.clone());
            live.keys = live.keys.map(|keys| Keys { current, ..keys });
        }
        live
    }

    fn touched_fields(&self, subject: &TopicWithKeys, done: &[SetCall]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "kmsKey": subject.topic.kms_key }) }
    }

    fn undo(&self, before: &TopicWithKeys, done: &[SetCall]) -> Result<Vec<SetCall>, Irreversible> {
        let TopicWithKeys { topic, .. } = before;
        let restore = |_: &SetCall| SET.member(KEY).of(&topic.arn, &topic.kms_key.clone().unwrap_or_default());
        Ok(done.iter().map(restore).collect())
    }
}

#[cfg(test)]
mod tests;
