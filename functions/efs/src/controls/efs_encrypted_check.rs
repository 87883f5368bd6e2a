//! `efs-encrypted-check`: a file system is not encrypted at rest.

use rectify_compliance::values::StringList;
use rectify_compliance::{
    ConfigurationItem, Control, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags, Timestamp,
    Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

control! {
    /// ## What it checks
    /// That `Encrypted` of every EFS file system is true and, with `KmsKeyId`, that it is encrypted with one of these keys.
    /// Both are fixed when a file system is created, so its item is always current: a schedule would find nothing else.
    /// An item without `Encrypted` fails the rule; one without a key is a finding where `KmsKeyId` is given.
    ///
    /// ## Why it matters
    /// Who gets hold of the storage below the file system can read the files.
    /// A customer managed key also adds a second permission: access to the files needs access to the key.
    ///
    /// ## Compliant example
    /// ```json
    /// {"FileSystemId": "fs-0a1b2c3d4e5f60718", "Encrypted": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"FileSystemId": "fs-0a1b2c3d4e5f60718", "Encrypted": false}
    /// ```
    ///
    /// ## Parameters
    /// `KmsKeyId` names the allowed keys by ARN, as AWS Config's rule does; an alias is never one.
    ///
    /// ## Remediation
    /// None: no call encrypts an existing file system; the finding is reported, and an operator decides.
    /// Create a file system that is encrypted, copy the files with AWS DataSync or restore a backup into it, mount it in place of the old one, and delete the old one.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/efs-encrypted-check.html)
    /// - [Security Hub EFS.1 and EFS.8](https://docs.aws.amazon.com/securityhub/latest/userguide/efs-controls.html#efs-1)
    /// - [Encryption at rest](https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html)
    pub EFS_ENCRYPTED_CHECK: EfsEncryptedCheck {
        id: "efs-encrypted-check",
        title: "File system is not encrypted at rest",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: FileSystem::TYPES,
        level: L0,
        frameworks: {
            Cis30: ["2.4.1"],
            Cis50: ["2.3.1"],
            Fsbp: ["EFS.1", "EFS.8"],
            Nist80053r5: ["CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"],
            Pci40: ["3.5.1", "8.3.2"],
        },
    }
}

parameters! {
    /// The keys that a file system may be encrypted with.
    pub EfsKeys {
        /// ARNs of the allowed KMS keys, separated by commas. Default: any key.
        #[serde(rename = "KmsKeyId")]
        kms_key_id: Option<StringList> = None,
    }
}

/// The encryption of a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileSystem {
    /// `FileSystemId`, which is also the resource id in AWS Config.
    pub id: String,
    /// The ARN, if the item has it.
    pub arn: Option<String>,
    /// `Encrypted`.
    pub encrypted: bool,
    /// `KmsKeyId`: the ARN of the key.
    pub kms_key_id: Option<String>,
    /// The tags.
    pub tags: Tags,
}

impl ResourceState for FileSystem {
    fn identity(&self) -> ResourceIdentity<'_> {
        let key = ResourceKey::new("AWS::EFS::FileSystem", &self.id);
        ResourceIdentity { key, arn: self.arn.as_deref(), name: None, tags: &self.tags }
    }
}

impl Resource for FileSystem {
    const TYPES: &'static [&'static str] = &["AWS::EFS::FileSystem"];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let value = item.configuration.get("Encrypted").unwrap_or(&Value::Null);
        let is_encrypted = value.as_bool();
        Ok(Self {
            id: item.resource.id.clone(),
            arn: item.arn.clone(),
            encrypted: is_encrypted
                .ok_or_else(|| ShapeError::new("configuration.Encrypted", "true or false", value))?,
            kms_key_id: item.configuration.get("KmsKeyId").and_then(Value::as_str).map(str::to_owned),
            tags: item.tags.clone(),
        })
    }
}

impl Control for EfsEncryptedCheck {
    type Params = EfsKeys;
    type Subject = FileSystem;

    fn evaluate(&self, subject: &FileSystem, params: &EfsKeys, _now: Timestamp) -> Verdict {
        let id = &subject.id;
        if !subject.encrypted {
            return Verdict::non_compliant(format!("{id} is not encrypted"));
        }
        match (&params.kms_key_id, &subject.kms_key_id) {
            (None, _) => Verdict::COMPLIANT,
            (Some(allowed), Some(key)) if allowed.list().contains(key) => Verdict::COMPLIANT,
            (Some(_), Some(key)) => {
                Verdict::non_compliant(format!("{id} is encrypted with {key}, which KmsKeyId does not allow"))
            }
            (Some(_), None) => Verdict::non_compliant(format!("{id} is encrypted with an unknown key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rectify_testing::Cases;
    use serde_json::json;

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55";

    #[test]
    fn cases() {
        let cases = Cases::of(
            &EfsEncryptedCheck,
            FileSystem {
                id: "fs-1".into(),
                arn: None,
                encrypted: true,
                kms_key_id: Some(KEY.into()),
                tags: Tags::new(),
            },
        );
        let case = |name, change: fn(&mut FileSystem)| cases.case(name, change);
        let only = |key: &str| format!(r#"{{"KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/other, {key}"}}"#);
        let off = "fs-1 is not encrypted";
        case("efs-encrypted-check/1", |it| (it.encrypted, it.kms_key_id) = (false, None)).non_compliant(off);
        case("not encrypted, whatever the keys", |it| it.encrypted = false).with(&only(KEY)).non_compliant(off);
        case("efs-encrypted-check/2", |_| ()).compliant();
        case("one of the keys", |_| ()).with(&only(KEY)).compliant();
        case("no key stated, any allowed", |it| it.kms_key_id = None).compliant();
        let other = format!("fs-1 is encrypted with {KEY}, which KmsKeyId does not allow");
        case("efs-encrypted-check/4", |_| ()).with(&only("alias/files")).non_compliant(&other);
        case("no key stated", |it| it.kms_key_id = None)
            .with(&only(KEY))
            .non_compliant("fs-1 is encrypted with an unknown key");
    }
    #[test]
    fn an_item_states_the_encryption_and_may_state_the_key() {
        let read = |configuration: Value| {
            let item = ConfigurationItem::from_notification(&json!({
                "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": FileSystem::TYPES[0],
                "resourceId": "fs-1", "configurationItemStatus": "OK",
                "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": configuration
            }));
            FileSystem::from_item(&item.unwrap()).map(|it| (it.encrypted, it.kms_key_id))
        };
        assert_eq!(read(json!({"Encrypted": true, "KmsKeyId": KEY})), Ok((true, Some(KEY.to_owned()))));
        assert_eq!(read(json!({"Encrypted": false})), Ok((false, None)));
        for unknown in [json!({}), json!({"Encrypted": "yes"}), json!({"Encrypted": null})] {
            let error = read(unknown).unwrap_err();
            assert_eq!(error.path, "configuration.Encrypted", "efs-encrypted-check/6");
        }
    }
}
