//! `ec2-ebs-encryption-by-default`: new EBS volumes in the region are encrypted by default.
//!
//! Pure: the settings, the keys and the instance types in use are passed in as one [`EbsDefaults`].

use std::collections::BTreeSet;

use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Periodic, Permission, Plan, Region, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Step, Tags, Timestamp, Verdict, control, offenders,
    parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::permissions::in_region;

control! {
    /// ## What it checks
    /// The account's setting "EBS encryption by default" in one region, whether or not the region has volumes.
    /// With `kmsKeyId` it also checks that the default key is that key; both are resolved to ARNs first.
    /// A default key that no longer exists counts as a different key; a `kmsKeyId` that cannot be resolved fails the rule.
    ///
    /// ## Why it matters
    /// Without the setting, a new volume or snapshot copy is encrypted only if its creator requests it, and it cannot be encrypted in place later.
    ///
    /// ## Compliant example
    /// `GetEbsEncryptionByDefault` returns `{"EbsEncryptionByDefault": true}`.
    ///
    /// ## Non-compliant example
    /// It returns `{"EbsEncryptionByDefault": false}`, or `GetEbsDefaultKmsKeyId` returns `alias/aws/ebs` although `kmsKeyId` names a customer managed key.
    ///
    /// ## Parameters
    /// `kmsKeyId` is the required default key; `allowKeyChange` allows the remediation to set it.
    ///
    /// ## Remediation
    /// First `ModifyEbsDefaultKmsKeyId` changes the default key, only with `allowKeyChange` (L2: principals that create volumes need permission to use the key, and the key costs money); then `EnableEbsEncryptionByDefault` turns the setting on (L1).
    /// In that order there is no moment in which new volumes are encrypted with the wrong key.
    /// Without `allowKeyChange` a wrong key blocks the whole plan.
    /// The plan is also blocked if an instance has a type that does not support encrypted volumes, because instances of such types could no longer be launched, and if the required key is not enabled, not symmetric, or in another region.
    /// Existing volumes stay as they are.
    /// Undo turns the setting off again and sets the previous default key, or resets it if that was the AWS managed key; volumes created in between stay encrypted.
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
        /// The required default key: key id, key ARN, alias or alias ARN. Default: any key.
        kms_key_id: Option<String> = None,
        /// Whether the remediation may change the default key. Default false.
        allow_key_change: Flag = Flag(false),
    }
}

/// The EBS defaults of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EbsDefaults {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// `EbsEncryptionByDefault`.
    pub enabled: bool,
    /// The keys; read only if `kmsKeyId` is given.
    pub keys: Option<Keys>,
    /// Types of existing instances with `EbsInfo.EncryptionSupport` `unsupported`; read only by a remediation that has
    /// to turn the setting on.
    pub unsupported_types: Option<BTreeSet<String>>,
    /// Always empty: an account has no tags here.
    #[serde(default)]
    pub tags: Tags,
}

/// The default key and the required one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// `KmsKeyId` of `GetEbsDefaultKmsKeyId`, as returned: an ARN, an id or `alias/aws/ebs`.
    pub default_id: String,
    /// `kms:DescribeKey` of the default key; `None` if it no longer exists.
    pub default: Option<KmsKey>,
    /// `kms:DescribeKey` of the parameter `kmsKeyId`.
    pub wanted: KmsKey,
}

impl ResourceState for EbsDefaults {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { tags: &self.tags, ..ResourceIdentity::account(&self.account) }
    }
}

const DESCRIBE_KEY: Permission = Permission::on("kms:DescribeKey", "arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*");

impl Periodic for Ec2EbsEncryptionByDefault {
    fn list_permissions(&self) -> &'static [Permission] {
        const { &[in_region("ec2:GetEbsEncryptionByDefault"), in_region("ec2:GetEbsDefaultKmsKeyId"), DESCRIBE_KEY] }
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
            (Some(_), Some(keys)) if keys.match_required() => Verdict::COMPLIANT,
            (Some(required), Some(keys)) => Verdict::non_compliant(format!(
                "EBS default key in {region} is {}; expected {}",
                keys.default_id,
                shown(required)
            )),
            (Some(required), None) => {
                Verdict::non_compliant(format!("EBS default key in {region} is unknown; expected {}", shown(required)))
            }
        }
    }
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum EbsAction {
    /// Turns the setting on.
    EnableEbsEncryptionByDefault {},
    /// Sets the default key.
    ModifyEbsDefaultKmsKeyId {
        /// The ARN of the required key.
        kms_key_id: String,
    },
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum EbsUndo {
    /// Turns the setting off.
    DisableEbsEncryptionByDefault {},
    /// Sets the previous default key.
    ModifyEbsDefaultKmsKeyId {
        /// The previous key.
        kms_key_id: String,
    },
    /// Resets the default key to `alias/aws/ebs`.
    ResetEbsDefaultKmsKeyId {},
}

impl Remediation for Ec2EbsEncryptionByDefault {
    type Action = EbsAction;
    type Undo = EbsUndo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    in_region("ec2:GetEbsEncryptionByDefault"),
                    in_region("ec2:GetEbsDefaultKmsKeyId"),
                    in_region("ec2:DescribeInstances"),
                    in_region("ec2:DescribeInstanceTypes"),
                    DESCRIBE_KEY,
                ],
                fix: &[in_region("ec2:EnableEbsEncryptionByDefault"), in_region("ec2:ModifyEbsDefaultKmsKeyId")],
                undo: &[
                    in_region("ec2:DisableEbsEncryptionByDefault"),
                    in_region("ec2:ModifyEbsDefaultKmsKeyId"),
                    in_region("ec2:ResetEbsDefaultKmsKeyId"),
                ],
            }
        }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no type for the EBS defaults of a region")
    }

    fn fix(&self, live: &EbsDefaults, params: &Self::Params, _now: Timestamp) -> Plan<EbsAction> {
        let mut steps = Vec::new();
        let mut reasons = Vec::new();
        match (&params.kms_key_id, &live.keys) {
            (None, _) => {}
            (Some(_), Some(keys)) if keys.match_required() => {}
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
        Plan::unless(reasons, steps)
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
                    Some(keys) if keys.default_is_aws_managed() => Ok(EbsUndo::ResetEbsDefaultKmsKeyId {}),
                    Some(keys) => {
                        Ok(EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id: keys.default_arn_or_id().to_owned() })
                    }
                    None => Err(Irreversible {
                        action: "ModifyEbsDefaultKmsKeyId".to_owned(),
                        reason: "the prior state does not contain the previous key".to_owned(),
                    }),
                },
            })
            .collect()
    }
}

impl Keys {
    fn match_required(&self) -> bool {
        self.default.as_ref().is_some_and(|default| default.arn == self.wanted.arn)
    }

    fn default_arn_or_id(&self) -> &str {
        self.default.as_ref().map_or(&self.default_id, |key| &key.arn)
    }

    fn default_is_aws_managed(&self) -> bool {
        self.default_id.ends_with("alias/aws/ebs") || self.default.as_ref().is_some_and(|key| key.aws_managed)
    }
}

impl EbsDefaults {
    fn launch_blocker(&self) -> Option<String> {
        match &self.unsupported_types {
            None => Some("the types of the instances were not read".to_owned()),
            Some(types) if types.is_empty() => None,
            Some(types) => Some(format!(
                "existing instances have types that could no longer be launched: `{}`",
                offenders(types.iter().cloned())
            )),
        }
    }
}

/// A parameter value for an annotation, at most 60 characters.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
