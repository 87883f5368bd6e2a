//! The KMS keys of a trail: the one it encrypts with, and the one a remediation would set.
//!
//! Knows no control and no SDK. Of a key policy, only the missing permissions are kept, never policy text.

use rectify_compliance::{AccountId, Arn, ResourceIdentity, ResourceState, kms_key};
use rectify_policy::ServiceRequest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::trail::Trail;

/// The service principal that uses keys and assumes roles.
pub const SERVICE: &str = "cloudtrail.amazonaws.com";

/// The actions CloudTrail needs on a key to read it and to encrypt deliveries ([key policies for CloudTrail]).
///
/// [key policies for CloudTrail]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
const USES: [&str; 2] = ["kms:GenerateDataKey", "kms:DescribeKey"];

/// The ARN of a key or of an alias: `arn:<partition>:kms:eu-west-1:111122223333:alias/trails`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub struct KeyArn(Arn);

impl KeyArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for KeyArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let arn = text.trim();
        let known = of_kind(arn, &["key/", "alias/"]).map(Self);
        known.ok_or_else(|| format!("expected the ARN of a KMS key or alias: received `{arn}`"))
    }
}

impl From<KeyArn> for String {
    fn from(arn: KeyArn) -> Self {
        arn.0.into()
    }
}

/// Whether a text is the ARN of a key, not of an alias: it needs no lookup.
pub fn is_key_arn(text: &str) -> bool {
    of_kind(text, &["key/"]).is_some()
}

fn of_kind(text: &str, kinds: &[&str]) -> Option<Arn> {
    Arn::of(text, "kms").filter(|arn| {
        let named = |kind: &&str| arn.resource().strip_prefix(*kind).is_some_and(|id| !id.is_empty());
        arn.region().is_some() && kinds.iter().any(named)
    })
}

/// Whether the ARN of `key` names another account.
pub fn is_foreign(key: &str, account: &AccountId) -> bool {
    Arn::of(key, "kms").is_some_and(|it| it.account().as_ref() != Some(account))
}

/// A trail with its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyedTrail {
    /// The trail.
    pub trail: Trail,
    /// Its key and the allowed keys; read only if the parameters need them.
    pub keys: Option<Keys>,
    /// The key that a remediation would set; read only by the remediation.
    pub candidate: Option<Candidate>,
}

/// The key of a trail, and the allowed keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// The KMS response for the trail's key; `None` if it has no key.
    pub current: Option<KeyAnswer>,
    /// The ARNs of the allowed keys.
    pub allowed: Vec<String>,
}

/// The result of `kms:DescribeKey`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyAnswer {
    /// The key.
    Known(Key),
    /// Access denied: the key's account does not allow reading it.
    Denied,
    /// The key does not exist.
    Missing,
}

/// The fields of `KeyMetadata` that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// `Arn`.
    pub arn: String,
    /// `KeyState`, e.g. `Enabled`.
    pub state: String,
    /// `KeySpec`, e.g. `SYMMETRIC_DEFAULT`.
    pub spec: String,
}

/// A key that a remediation may set on a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    /// The ARN in the parameter: its own, or that of an alias.
    pub named: String,
    /// The KMS response for it.
    pub answer: KeyAnswer,
    /// The actions its policy does not plainly allow CloudTrail for the trail; `None` if the policy was not read: KMS
    /// returns it
    /// only within the key's account.
    pub refused: Option<Vec<String>>,
}

impl ResourceState for KeyedTrail {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.trail.identity()
    }
}

impl Candidate {
    /// The key that `named` identifies, checked for this trail against its policy, if that can be read.
    pub fn new(named: &KeyArn, answer: KeyAnswer, policy: Option<&Value>, trail: &Trail) -> Self {
        let mut candidate = Self { named: named.0.to_string(), answer, refused: None };
        candidate.refused = policy.map(|policy| candidate.refused_by(policy, trail));
        candidate
    }

    /// The actions this policy does not plainly allow CloudTrail for the trail.
    fn refused_by(&self, policy: &Value, trail: &Trail) -> Vec<String> {
        let context = [
            ("aws:SourceArn", trail.arn.as_str()),
            ("aws:SourceAccount", trail.owner.as_str()),
            ("kms:EncryptionContext:aws:cloudtrail:arn", trail.arn.as_str()),
        ];
        let resource = Some(self.arn());
        let request = |action| ServiceRequest { service: SERVICE, action, resource, context: &context };
        USES.into_iter().filter(|action| !request(action).is_allowed_by(policy)).map(str::to_owned).collect()
    }

    /// Its own ARN if known, else the ARN it was named by.
    pub fn arn(&self) -> &str {
        match &self.answer {
            KeyAnswer::Known(key) => &key.arn,
            KeyAnswer::Denied | KeyAnswer::Missing => &self.named,
        }
    }

    /// Why this key may not be set on the trail; empty if it may.
    pub fn blockers(&self) -> Vec<String> {
        let arn = self.arn();
        let mut reasons = Vec::new();
        match &self.answer {
            KeyAnswer::Known(key) => {
                reasons.extend(kms_key::blockers(arn, &key.state, &key.spec));
                match &self.refused {
                    None => reasons.push(format!("the policy of key {arn} of another account cannot be read")),
                    Some(refused) if refused.is_empty() => {}
                    Some(refused) => reasons.push(format!(
                        "the policy of key {arn} does not plainly allow {SERVICE} {} for this trail",
                        refused.join(", ")
                    )),
                }
            }
            KeyAnswer::Denied => reasons.push(format!("key {arn} cannot be read")),
            KeyAnswer::Missing => reasons.push(format!("key {arn} does not exist")),
        }
        reasons
    }
}

#[cfg(test)]
pub(crate) mod tests;
