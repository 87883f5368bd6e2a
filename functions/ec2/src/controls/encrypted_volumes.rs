//! `encrypted-volumes`: an attached EBS volume is not encrypted, or not with the required key.

use rectify_compliance::values::Flag;
use rectify_compliance::{Arn, ByHand, Level, Permission, Verdict, control, parameters};

use crate::resources::volume::{TYPE, Volume};

control! {
    /// ## What it checks
    /// That `encrypted` of an EBS volume that is attached to an instance is true; with `kmsId` also that its key is that one.
    /// A volume that is not attached is NOT_APPLICABLE, as in Security Hub, unless `checkUnattached` is set; one that is being created or deleted is NOT_APPLICABLE too.
    /// An item without `encrypted` fails the invocation.
    ///
    /// ## Why it matters
    /// Every snapshot of an unencrypted volume is unencrypted too: who gets hold of one, by a share or a copy, can read it.
    ///
    /// ## Compliant example
    /// ```json
    /// {"state": "in-use", "attachments": [{"instanceId": "i-1", "device": "/dev/xvda"}], "encrypted": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"state": "in-use", "attachments": [{"instanceId": "i-1", "device": "/dev/xvda"}], "encrypted": false}
    /// ```
    ///
    /// ## Parameters
    /// `kmsId` is compared with the key in the item, without a call to KMS.
    /// It is therefore a key id or the ARN of a key, as in the managed rule; an alias is rejected, because it can later refer to another key.
    ///
    /// ## Remediation
    /// L3: EBS cannot encrypt a volume in place, nor change its key, so the plan has manual steps only: snapshot, encrypted copy, new volume, and the swap while the instance is stopped.
    /// What may break: the instance is down during the swap, and what was written after the snapshot is lost unless the instance was stopped before it.
    /// How to undo: attach the old volume again; keep it until the instance works.
    /// `ec2-ebs-encryption-by-default` prevents the next finding.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/encrypted-volumes.html)
    /// - [Security Hub EC2.3](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-3)
    /// - [Amazon EBS encryption](https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html)
    pub ENCRYPTED_VOLUMES: ByHand<Volume, EncryptedVolumesParameters> = CONTROL {
        id: "encrypted-volumes",
        title: "Attached EBS volume is not encrypted",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["2.2.1"],
            Cis50: ["5.1.1"],
            Fsbp: ["EC2.3"],
            Nist80053r5: ["CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"],
            Pci40: ["3.5.1", "8.3.2"],
        },
    }
}

parameters! {
    /// The parameters of [`ENCRYPTED_VOLUMES`].
    pub EncryptedVolumesParameters, check: key_is_fixed {
        /// The required key: a key id or the ARN of a key. Default: any key.
        kms_id: Option<String> = None,
        /// Whether volumes that are not attached are evaluated. Default false.
        check_unattached: Flag = Flag(false),
    }
}

const CONTROL: ByHand<Volume, EncryptedVolumesParameters> = ByHand {
    judge: |volume, params| {
        if let Some(state) = volume.state_without_data() {
            return Verdict::not_applicable(format!("volume is {state}"));
        }
        if volume.attachments.is_empty() && !params.check_unattached.0 {
            return Verdict::not_applicable("volume is not attached");
        }
        if !volume.encrypted {
            return Verdict::non_compliant(format!("{volume} is not encrypted"));
        }
        let key = volume.kms_key_id.as_deref().unwrap_or("an unknown key");
        match &params.kms_id {
            Some(required) if !is_key(key, required) => {
                Verdict::non_compliant(format!("{} is encrypted with {key}; expected {required}", volume.id))
            }
            Some(_) | None => Verdict::COMPLIANT,
        }
    },
    instructions: |volume, params| {
        let id = &volume.id;
        let with = params.kms_id.as_ref().map_or_else(String::new, |key| format!(" and KmsKeyId={key}"));
        let mut steps = vec![format!(
            "stop what writes to {id}, then ec2:CreateSnapshot of it, ec2:CopySnapshot with Encrypted=true{with}, and \
             ec2:CreateVolume from the copy in the same Availability Zone"
        )];
        if !volume.attachments.is_empty() {
            let on: Vec<&str> = volume.attachments.iter().map(String::as_str).collect();
            steps.push(format!(
                "stop the instance, detach {id}, attach the new volume in its place ({}), and start the instance",
                on.join(", ")
            ));
        }
        steps
    },
    level: Level::L3,
    list: &[],
    read: &[Permission::unscoped("ec2:DescribeVolumes")],
    needs_name: false,
};

/// Whether the key with this ARN is the required one.
fn is_key(arn: &str, required: &str) -> bool {
    arn == required || Arn::of(arn, "kms").is_some_and(|it| it.resource().strip_prefix("key/") == Some(required))
}

/// A `kmsId` that can refer to another key later, or to none, is rejected.
fn key_is_fixed(params: &EncryptedVolumesParameters) -> Result<(), String> {
    let Some(given) = &params.kms_id else { return Ok(()) };
    let is_id = !given.is_empty() && given.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    if is_id || Arn::of(given, "kms").is_some_and(|it| it.resource().starts_with("key/")) {
        return Ok(());
    }
    Err(format!("kmsId: expected a key id or the ARN of a key (an alias can refer to another key): received `{given}`"))
}

#[cfg(test)]
mod tests;
