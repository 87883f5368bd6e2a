//! `ec2-ebs-encryption-by-default`: in this region, new EBS volumes are encrypted without anybody asking.
//!
//! Pure: the settings, the keys and the instance types in use come from outside, as one [`EbsDefaults`].

use std::collections::BTreeSet;

use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Region, Remediation, ResourceKey,
    ResourceState, Step, Tags, Timestamp, Verdict, control, offenders, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

control! {
    /// ## What it checks
    /// The account's setting "EBS encryption by default" in one region, whether the region holds volumes or not.
    /// With `kmsKeyId` it also checks that the default key is that key, compared by the ARNs both resolve to.
    /// A default key that no longer exists is another key; a `kmsKeyId` that cannot be resolved fails the rule.
    ///
    /// ## Why it matters
    /// A volume or a copy of a snapshot that is made without the setting is not encrypted unless its maker thought of it, and it cannot be encrypted later in place.
    ///
    /// ## Compliant example
    /// `GetEbsEncryptionByDefault` answers `{"EbsEncryptionByDefault": true}`.
    ///
    /// ## Non-compliant example
    /// It answers `{"EbsEncryptionByDefault": false}`, or `GetEbsDefaultKmsKeyId` answers `alias/aws/ebs` where `kmsKeyId` names a key of the customer.
    ///
    /// ## Parameters
    /// `kmsKeyId` names the key the default must be; `allowKeyChange` lets the remediation make it so.
    ///
    /// ## Remediation
    /// The default key is changed first, with `ModifyEbsDefaultKmsKeyId`, and only with `allowKeyChange` (L2: whoever makes volumes needs to be allowed to use the key, and the key costs money); then the setting is turned on, with `EnableEbsEncryptionByDefault` (L1).
    /// That order leaves no moment in which volumes are encrypted with the wrong key.
    /// Without `allowKeyChange` a wrong key holds the whole plan for a person.
    /// The plan is also held while an instance has a type that cannot use encrypted volumes, since instances of such types could no longer be launched, and while the wanted key is not enabled, not symmetric, or of another region.
    /// Existing volumes stay as they are.
    /// Undo turns the setting off again and sets the previous default key, or resets it where it was the key of AWS; volumes made in between stay encrypted.
    ///
    /// ## References
    /// - [ec2-ebs-encryption-by-default](https://docs.aws.amazon.com/config/latest/developerguide/ec2-ebs-encryption-by-default.html)
    /// - [Security Hub EC2.7](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-7)
    /// - [EnableEbsEncryptionByDefault](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html)
    pub EC2_EBS_ENCRYPTION_BY_DEFAULT: Ec2EbsEncryptionByDefault {
        id: "ec2-ebs-encryption-by-default",
        title: "New EBS volumes in this region are not encrypted by default",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["2.2.1"],
            Cis50: ["5.1.1"],
            Fsbp: ["EC2.7"],
            Nist80053r5: ["CA-9(1)", "CM-3(6)", "SC-13", "SC-28", "SC-28(1)"],
        },
    }
}

parameters! {
    /// The parameters of [`Ec2EbsEncryptionByDefault`].
    pub Ec2EbsEncryptionByDefaultParameters {
        /// The key the default must be: key id, key ARN, alias or alias ARN. Default: any key.
        kms_key_id: Option<String> = None,
        /// Whether the remediation may change the default key. Default false.
        allow_key_change: Flag = Flag(false),
    }
}

/// The EBS defaults of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EbsDefaults {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// `EbsEncryptionByDefault`.
    pub enabled: bool,
    /// The keys, read only where `kmsKeyId` is given.
    pub keys: Option<Keys>,
    /// Types of existing instances with `EbsInfo.EncryptionSupport` `unsupported`; read only by a remediation that would
    /// have to turn the setting on.
    pub unsupported_types: Option<BTreeSet<String>>,
    /// An account has none here.
    #[serde(default)]
    pub tags: Tags,
}

/// The default key beside the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// `KmsKeyId` of `GetEbsDefaultKmsKeyId`, as answered: an ARN, an id or `alias/aws/ebs`.
    pub default_id: String,
    /// What `kms:DescribeKey` says of it; `None` when there is no such key any more.
    pub default: Option<KmsKey>,
    /// What it says of the parameter `kmsKeyId`.
    pub wanted: KmsKey,
}

impl ResourceState for EbsDefaults {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

const HERE: (&str, &str) = ("ec2:Region", "${AWS::Region}");
const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", "arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*");

const fn here(action: &'static str) -> Permission {
    Permission::unscoped(action).when(HERE.0, HERE.1)
}

impl Periodic for Ec2EbsEncryptionByDefault {
    fn list_permissions(&self) -> &'static [Permission] {
        const { &[here("ec2:GetEbsEncryptionByDefault"), here("ec2:GetEbsDefaultKmsKeyId"), DESCRIBE_KEY] }
    }
}

impl Control for Ec2EbsEncryptionByDefault {
    type Params = Ec2EbsEncryptionByDefaultParameters;
    type Subject = EbsDefaults;

    fn evaluate(&self, subject: &EbsDefaults, params: &Self::Params, _now: Timestamp) -> Verdict {
        let region = &subject.region;
        if !subject.enabled {
            return Verdict::non_compliant(format!("EBS encryption by default is off in {region}"));
        }
        match (&params.kms_key_id, &subject.keys) {
            (None, _) => Verdict::COMPLIANT,
            (Some(_), Some(keys)) if keys.agree() => Verdict::COMPLIANT,
            (Some(wanted), Some(keys)) => Verdict::non_compliant(format!(
                "EBS default key is another one in {region}: {}; expected {}",
                keys.default_id,
                shown(wanted)
            )),
            (Some(wanted), None) => {
                Verdict::non_compliant(format!("EBS default key is not known in {region}; expected {}", shown(wanted)))
            }
        }
    }
}

/// What the remediation may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum EbsAction {
    /// Turns the setting on.
    EnableEbsEncryptionByDefault {},
    /// Makes another key the default.
    ModifyEbsDefaultKmsKeyId {
        /// The ARN of the wanted key.
        kms_key_id: String,
    },
}

/// What undo may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum EbsUndo {
    /// Turns the setting off.
    DisableEbsEncryptionByDefault {},
    /// Makes the previous key the default again.
    ModifyEbsDefaultKmsKeyId {
        /// The previous key.
        kms_key_id: String,
    },
    /// Makes `alias/aws/ebs` the default again.
    ResetEbsDefaultKmsKeyId {},
}

impl Remediation for Ec2EbsEncryptionByDefault {
    type Action = EbsAction;
    type Undo = EbsUndo;
    fn read_permissions(&self) -> &'static [Permission] {
        const {
            &[
                here("ec2:GetEbsEncryptionByDefault"),
                here("ec2:GetEbsDefaultKmsKeyId"),
                here("ec2:DescribeInstances"),
                here("ec2:DescribeInstanceTypes"),
                DESCRIBE_KEY,
            ]
        }
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        const { &[here("ec2:EnableEbsEncryptionByDefault"), here("ec2:ModifyEbsDefaultKmsKeyId")] }
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        const {
            &[
                here("ec2:DisableEbsEncryptionByDefault"),
                here("ec2:ModifyEbsDefaultKmsKeyId"),
                here("ec2:ResetEbsDefaultKmsKeyId"),
            ]
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Nobody("CloudFormation has no type for the EBS defaults of a region")
    }

    fn fix(&self, live: &EbsDefaults, params: &Self::Params, _now: Timestamp) -> Plan<EbsAction> {
        let mut steps = Vec::new();
        let mut reasons = Vec::new();
        match (&params.kms_key_id, &live.keys) {
            (None, _) => {}
            (Some(_), Some(keys)) if keys.agree() => {}
            (Some(_), Some(keys)) => {
                if !params.allow_key_change.0 {
                    reasons.push("changing the default key needs allowKeyChange".to_owned());
                }
                reasons.extend(keys.wanted.blockers_in(&live.region));
                let kms_key_id = keys.wanted.arn.clone();
                steps.push(Step::call(Level::L2, EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id }));
            }
            (Some(_), None) => reasons.push("the default key was not read".to_owned()),
        }
        if !live.enabled {
            reasons.extend(live.launch_blocker());
            steps.push(Step::call(Level::L1, EbsAction::EnableEbsEncryptionByDefault {}));
        }
        Plan::unless(&reasons, steps)
    }

    fn predict(&self, mut live: EbsDefaults, action: &EbsAction) -> EbsDefaults {
        match action {
            EbsAction::EnableEbsEncryptionByDefault {} => {
                live.enabled = true;
                live.unsupported_types = None;
            }
            EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id } => {
                if let Some(keys) = &mut live.keys {
                    keys.default_id.clone_from(kms_key_id);
                    keys.default = Some(keys.wanted.clone()).filter(|wanted| wanted.arn == *kms_key_id);
                }
            }
        }
        live
    }

    fn touched_fields(&self, subject: &EbsDefaults, done: &[EbsAction]) -> Value {
        let mut touched = Map::new();
        for action in done {
            match action {
                EbsAction::EnableEbsEncryptionByDefault {} => {
                    touched.insert("ebsEncryptionByDefault".to_owned(), json!(subject.enabled));
                }
                EbsAction::ModifyEbsDefaultKmsKeyId { .. } => {
                    let key = subject.keys.as_ref().map(Keys::default_arn_or_id);
                    touched.insert("defaultKey".to_owned(), json!(key));
                }
            }
        }
        Value::Object(touched)
    }

    fn undo(&self, before: &EbsDefaults, done: &[EbsAction]) -> Result<Vec<EbsUndo>, Irreversible> {
        done.iter()
            .rev()
            .map(|action| match action {
                EbsAction::EnableEbsEncryptionByDefault {} => Ok(EbsUndo::DisableEbsEncryptionByDefault {}),
                EbsAction::ModifyEbsDefaultKmsKeyId { .. } => match &before.keys {
                    Some(keys) if keys.was_of_aws() => Ok(EbsUndo::ResetEbsDefaultKmsKeyId {}),
                    Some(keys) => {
                        Ok(EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id: keys.default_arn_or_id().to_owned() })
                    }
                    None => Err(Irreversible {
                        action: "ModifyEbsDefaultKmsKeyId".to_owned(),
                        reason: "the before-image does not hold the previous key".to_owned(),
                    }),
                },
            })
            .collect()
    }
}

impl Keys {
    fn agree(&self) -> bool {
        self.default.as_ref().is_some_and(|default| default.arn == self.wanted.arn)
    }

    fn default_arn_or_id(&self) -> &str {
        self.default.as_ref().map_or(&self.default_id, |key| &key.arn)
    }

    fn was_of_aws(&self) -> bool {
        self.default_id.ends_with("alias/aws/ebs") || self.default.as_ref().is_some_and(|key| key.aws_managed)
    }
}

impl EbsDefaults {
    fn launch_blocker(&self) -> Option<String> {
        match &self.unsupported_types {
            None => Some("the types of the instances were not read".to_owned()),
            Some(types) if types.is_empty() => None,
            Some(types) => Some(format!(
                "instances exist of types that could no longer be launched: `{}`",
                offenders(types.iter().cloned())
            )),
        }
    }
}

/// A parameter's text within an annotation, at most 60 characters.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
