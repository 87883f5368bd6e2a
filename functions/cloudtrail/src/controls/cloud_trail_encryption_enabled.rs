//! `cloud-trail-encryption-enabled`: CloudTrail log files are not encrypted with a KMS key.
//!
//! Reads [`KeyedTrail`], from an item or from the API; knows no API.

use rectify_compliance::kms_key;
use rectify_compliance::values::{Flag, StringList};
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::trail::permissions::{DESCRIBE, GET, LIST_TAGS, UPDATE};
use crate::resources::trail::{LiveTrail, MANAGED_BY, RecordedTrail, TYPE, Trail, stack_resource};
use crate::resources::trail_key::{Candidate, KeyAnswer, KeyArn, KeyedTrail, Keys, is_foreign};

control! {
    /// ## What it checks
    /// That each trail has a KMS key, `kmsKeyId`, that encrypts the log and digest files it delivers.
    /// With `checkKeyState`, the default, the key must exist and be usable: `Enabled`, or `Updating` while the primary Region of a multi-Region key changes. CloudTrail delivers nothing with a key in another state.
    /// With `kmsKeyArns`, it must be one of these, compared by the ARNs they resolve to; an entry that resolves to no key fails the invocation.
    /// A key of another account that denies reading it passes, and the annotation says so; if a key of this account cannot be read, the invocation fails.
    /// The AWS managed rule only checks that `kmsKeyId` is set.
    /// A trail is evaluated only by the account in its ARN and in its home region; a replica, and an organization trail seen from a member account, are NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Without a KMS key, everyone who can read the bucket can read the log files.
    /// With a key, reading also needs `kms:Decrypt`, every use of the key is recorded, and a change of the key policy revokes access at once.
    ///
    /// ## Compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1", "kmsKeyId": "arn:<partition>:kms:eu-west-1:111122223333:key/5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1"}
    /// ```
    ///
    /// ## Parameters
    /// `kmsKeyArns` and `checkKeyState` decide the verdict; `remediationKeyArn` is the key that the remediation sets on a trail without one.
    ///
    /// ## Remediation
    /// L2: `cloudtrail:UpdateTrail` with only the trail's ARN and `KmsKeyId`, if `remediationKeyArn` is set and the trail has no key.
    /// What changes: files delivered from then on are encrypted with the key; older files stay as they are.
    /// What may break: every reader of the files needs `kms:Decrypt` on the key, and each delivery makes charged KMS requests.
    /// Blocked unless the key is enabled and symmetric, is one of `kmsKeyArns` if these are set, and has a policy that plainly lets `cloudtrail.amazonaws.com` call `kms:GenerateDataKey` and `kms:DescribeKey` for this trail; the policy of a key of another account cannot be read.
    /// CloudTrail itself checks that key and bucket are in the same region, and rejects the whole call if they are not.
    /// Also blocked for an organization trail, whose update needs permissions in the management account that the remediation's role does not have.
    /// An existing key is never replaced: an operator enables it or chooses another.
    /// The call supports no conditional write: a key set in the milliseconds between the last read and the write is replaced.
    /// How to undo: the same call with an empty `KmsKeyId`; files delivered in the meantime stay encrypted, so keep the key.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cloud-trail-encryption-enabled.html)
    /// * [Security Hub CloudTrail.2](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html#cloudtrail-2)
    /// * [Key policies for CloudTrail](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html)
    /// * [Enabling and disabling encryption](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-encryption-cli.html)
    /// * [UpdateTrail](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html)
    pub CLOUD_TRAIL_ENCRYPTION_ENABLED: CloudTrailEncryptionEnabled {
        id: "cloud-trail-encryption-enabled",
        title: "CloudTrail log files are not encrypted with a KMS key",
        severity: Medium,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["3.5"],
            Cis50: ["3.5"],
            Fsbp: ["CloudTrail.2"],
            Nist80053r5: ["AU-9", "SC-13", "SC-28", "SC-28(1)"],
            Pci40: ["3.5.1", "10.3.2"],
        },
    }
}

/// Keys of any account in any region: a trail's key is in the region of its bucket, which may differ from the home
/// region.
const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", "arn:${AWS::Partition}:kms:*:*:key/*");
const GET_KEY_POLICY: Permission =
    Permission::on("kms:GetKeyPolicy", "arn:${AWS::Partition}:kms:*:${AWS::AccountId}:key/*");

parameters! {
    /// The allowed keys, and the key for a trail without one; the managed rule has no parameters.
    pub TrailEncryptionParameters {
        /// The allowed keys, a comma-separated list of ARNs, ids and aliases. Default: any key.
        kms_key_arns: Option<StringList> = None,
        /// Whether the key must be usable: `Enabled` or `Updating`. Default true.
        check_key_state: Flag = Flag(true),
        /// The key that the remediation sets on a trail without one, by key ARN or alias ARN. Default: none, an
        /// operator
        /// chooses.
        #[schemars(with = "Option<String>")]
        remediation_key_arn: Option<KeyArn> = None,
    }
}

impl TrailEncryptionParameters {
    /// The allowed keys as written; empty if any key is allowed.
    pub fn allowed(&self) -> &[String] {
        self.kms_key_arns.as_ref().map_or(&[], StringList::list)
    }

    /// Whether the key itself must be read: `kmsKeyId` alone does not decide.
    pub fn keys_matter(&self) -> bool {
        self.check_key_state.0 || !self.allowed().is_empty()
    }

    /// The key that the remediation would set on this trail.
    pub fn candidate_for(&self, trail: &Trail) -> Option<&KeyArn> {
        self.remediation_key_arn.as_ref().filter(|_| trail.settings.kms_key_id.is_none())
    }
}

/// The facts that a configuration item does not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyFacts {
    /// The trail to evaluate instead of the item.
    pub live: LiveTrail,
    /// The keys, if the parameters need them.
    pub keys: Option<Keys>,
}

/// One call to CloudTrail. The fix and its undo are the same call with different keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `UpdateTrail`; every field it leaves out stays as it is.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `KmsKeyId`: the ARN of the key; empty to stop encrypting with a KMS key.
        kms_key_id: String,
    },
}

impl Control for CloudTrailEncryptionEnabled {
    type Params = TrailEncryptionParameters;
    type Subject = KeyedTrail;

    fn evaluate(&self, subject: &KeyedTrail, params: &Self::Params, _now: Timestamp) -> Verdict {
        let KeyedTrail { trail, keys, .. } = subject;
        if let Some(elsewhere) = trail.evaluated_elsewhere() {
            return elsewhere;
        }
        let name = &trail.name;
        let Some(key) = &trail.settings.kms_key_id else {
            return Verdict::non_compliant(format!("Trail {name} is not KMS encrypted"));
        };
        if !params.keys_matter() {
            return Verdict::COMPLIANT;
        }
        let Some(Keys { current: Some(answer), allowed }) = keys else {
            return Verdict::non_compliant(format!("Trail {name}: key {key} was not read"));
        };
        let arn = if let KeyAnswer::Known(known) = answer { &known.arn } else { key };
        if !params.allowed().is_empty() && !allowed.contains(arn) {
            return Verdict::non_compliant(format!("Trail {name}: key {key} is not in kmsKeyArns"));
        }
        match answer {
            KeyAnswer::Known(known) if params.check_key_state.0 && !kms_key::is_usable(&known.state) => {
                Verdict::non_compliant(format!("Trail {name}: key {}: {key}", known.state))
            }
            KeyAnswer::Known(_) => Verdict::COMPLIANT,
            KeyAnswer::Denied if is_foreign(key, &trail.owner) => Verdict::Compliant(Some(
                format!("Trail {name}: key state unknown: {key} belongs to another account").into(),
            )),
            KeyAnswer::Denied => Verdict::non_compliant(format!("Trail {name}: key {key} cannot be read")),
            KeyAnswer::Missing => Verdict::non_compliant(format!("Trail {name}: key {key} does not exist")),
        }
    }
}

impl FromItem for CloudTrailEncryptionEnabled {
    type Resource = RecordedTrail;
    /// `None` if the item alone decides.
    type Facts = Option<KeyFacts>;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE, DESCRIBE_KEY]
    }

    fn subject(&self, recorded: RecordedTrail, facts: Option<KeyFacts>) -> KeyedTrail {
        let KeyFacts { live, keys } = facts.unwrap_or_default();
        KeyedTrail { trail: recorded.or_live(live), keys, candidate: None }
    }
}

impl Periodic for CloudTrailEncryptionEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE, DESCRIBE_KEY]
    }
}

impl Remediation for CloudTrailEncryptionEnabled {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[GET, LIST_TAGS, DESCRIBE_KEY, GET_KEY_POLICY],
            fix: &[UPDATE],
            // IAM cannot distinguish setting a key from clearing it: only `plan` keeps the remediation
            // from removing a key.
            undo: &[UPDATE],
        }
    }

    fn managed_by(&self) -> ManagedBy {
        MANAGED_BY
    }

    fn stack_resources(&self, _live: &KeyedTrail, action: &Action) -> Vec<PhysicalId> {
        let Action::UpdateTrail { name, .. } = action;
        vec![stack_resource(name)]
    }

    fn fix(&self, live: &KeyedTrail, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let trail = &live.trail;
        if let Some(key) = &trail.settings.kms_key_id {
            let task = format!("enable key {key}, or set a key that is enabled and allowed for trail {}", trail.arn);
            let reason = format!("trail {} has key {key}, which is never replaced automatically", trail.name);
            return Plan::blocked(reason, vec![Step::manual(Level::L2, task)]);
        }
        let Some(requested) = params.candidate_for(trail) else {
            let task = format!(
                "choose a KMS key whose policy lets CloudTrail use it, and set it for trail {}, or name it in \
                 remediationKeyArn",
                trail.arn
            );
            return Plan::steps_in_order(vec![Step::manual(Level::L2, task)]);
        };
        let candidate = live.candidate.as_ref().filter(|it| it.named == requested.as_str());
        let key = candidate.map_or(requested.as_str(), Candidate::arn);
        let mut reasons: Vec<String> = trail.update_blocker().into_iter().collect();
        reasons.extend(candidate.map_or_else(|| vec![format!("key {key} was not read")], Candidate::blockers));
        let allowed = live.keys.as_ref().map_or(&[][..], |keys| &keys.allowed);
        if !params.allowed().is_empty() && !allowed.iter().any(|it| it == key) {
            reasons.push(format!("key {key} is not in kmsKeyArns"));
        }
        let update = Action::UpdateTrail { name: trail.arn.clone(), kms_key_id: key.to_owned() };
        let steps = vec![Step::call(Level::L2, update)];
        Plan::unless(reasons, steps)
    }

    /// The trail has the key, and the KMS response for the candidate becomes the one for its key.
    fn predict(&self, mut live: KeyedTrail, action: &Action) -> KeyedTrail {
        let Action::UpdateTrail { name, kms_key_id } = action;
        let key = Some(kms_key_id.clone()).filter(|it| !it.is_empty());
        if *name != live.trail.arn || live.trail.settings.kms_key_id == key {
            return live;
        }
        live.trail.settings.kms_key_id = key;
        let given = live.candidate.take().filter(|it| it.arn() == kms_key_id).map(|it| it.answer);
        if let Some(keys) = &mut live.keys {
            keys.current = given;
        }
        live
    }

    /// Only this setting, so that a later change of the bucket does not block an undo.
    /// The full before and after states prove that nothing else changed.
    fn touched_fields(&self, subject: &KeyedTrail, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "kmsKeyId": subject.trail.settings.kms_key_id }) }
    }

    fn undo(&self, before: &KeyedTrail, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |Action::UpdateTrail { name, .. }: &Action| Action::UpdateTrail {
            name: name.clone(),
            kms_key_id: before.trail.settings.kms_key_id.clone().unwrap_or_default(),
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

#[cfg(test)]
mod tests;
