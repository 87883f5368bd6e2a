//! Whether a bucket keeps every version of its objects, and needs MFA to delete one.

use rectify_compliance::values::Flag;
use rectify_compliance::{
    ConfigurationItem, Control, FromItem, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions,
    Resource, ResourceIdentity, ResourceState, ShapeError, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::bucket::{BUCKETS, Identity, OwnedBucket, TYPES};
use crate::resources::versioning::{Versioning, VersioningConfiguration};

control! {
    /// ## What it checks
    ///
    /// That versioning is enabled, and with `isMfaDeleteEnabled` also MFA delete.
    /// Where the item lacks the status, it is read from S3.
    /// A bucket whose versioning was never enabled (`Off`) or is suspended is a finding; an unknown status fails the rule.
    /// Security Hub S3.14 requires versioning only; S3.20 and CIS 2.1.2 require MFA delete, so set the parameter for them.
    ///
    /// ## Why it matters
    ///
    /// Without versions, an overwritten or deleted object is lost, whether by a mistake or by ransomware.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"status": "Enabled", "isMfaDeleteEnabled": null}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"status": "Suspended", "isMfaDeleteEnabled": null}
    /// ```
    ///
    /// Annotation: `Versioning is Suspended`.
    ///
    /// ## Parameters
    ///
    /// `isMfaDeleteEnabled` `false` is the same as absent: a bucket with MFA delete is compliant either way.
    ///
    /// ## Remediation
    ///
    /// One `PutBucketVersioning` with the status `Enabled`, level L2: every version is stored and charged, and a lifecycle rule that expires objects then adds delete markers and keeps their versions until a rule expires noncurrent versions.
    /// The fix adds no such rule; `s3-lifecycle-log-archive` checks it for log buckets.
    /// In the first 15 minutes after versioning is enabled for the first time, S3 may answer `404 NoSuchKey` for new and changed objects.
    /// It is planned and never applied where MFA delete is required and off, since only the root user with its MFA device can enable it, and where MFA delete is on and versioning suspended, since S3 then requires that device for every change of the status.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call.
    /// Undo suspends versioning, also where it was never enabled: S3 has no way back to `Off`.
    /// Versions that were stored meanwhile stay, and S3 rejects the undo if Object Lock or MFA delete was enabled since.
    /// IAM has no separate action for suspending: `s3:PutBucketVersioning` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-versioning-enabled.html)
    /// - [PutBucketVersioning](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html)
    /// - [Enabling versioning](https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html)
    /// - [MFA delete](https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html)
    /// - [Security Hub S3.14](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-14)
    pub S3_BUCKET_VERSIONING_ENABLED: S3BucketVersioningEnabled {
        id: "s3-bucket-versioning-enabled",
        title: "Bucket keeps no object versions",
        severity: Low,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L2,
        frameworks: {
            Cis30: ["2.1.2"],
            Cis50: ["2.1.2"],
            Fsbp: ["S3.14", "S3.20"],
            Nist80053r5: ["AU-9(2)", "CP-6", "CP-9", "CP-10", "SI-12"],
            Pci40: ["10.3.4"],
        },
    }
}

parameters! {
    /// What versioning must include.
    pub Params {
        /// Whether MFA delete is required too. Default `false`.
        is_mfa_delete_enabled: Flag = Flag(false),
    }
}

/// A bucket and its versioning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: Identity,
    /// Its versioning.
    pub versioning: VersioningConfiguration,
}

impl ResourceState for Subject {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.bucket.identity()
    }
}

impl Subject {
    fn lacks_mfa_delete(&self, params: &Params) -> bool {
        params.is_mfa_delete_enabled.0 && !self.versioning.mfa_delete
    }
}

/// Versioning as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVersioning {
    /// The bucket.
    pub bucket: Identity,
    /// Its versioning; `None` where the item lacks the status.
    pub versioning: Option<VersioningConfiguration>,
}

impl Resource for RecordedVersioning {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { bucket: Identity::of_item(item), versioning: VersioningConfiguration::from_item(item)? })
    }
}

impl Control for S3BucketVersioningEnabled {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        match subject.versioning.status {
            status @ (Versioning::Off | Versioning::Suspended) => {
                Verdict::non_compliant(format!("Versioning is {}", status.name()))
            }
            Versioning::Enabled if subject.lacks_mfa_delete(params) => {
                Verdict::non_compliant("MFA delete is off; required")
            }
            Versioning::Enabled => Verdict::COMPLIANT,
        }
    }
}

impl FromItem for S3BucketVersioningEnabled {
    type Resource = RecordedVersioning;
    type Facts = Option<VersioningConfiguration>;

    fn fact_permissions(&self) -> &'static [Permission] {
        const { &[Permission::on("s3:GetBucketVersioning", BUCKETS)] }
    }

    /// Versioning that was not read counts as never enabled.
    fn subject(&self, recorded: RecordedVersioning, live: Option<VersioningConfiguration>) -> Subject {
        let off = VersioningConfiguration { status: Versioning::Off, mfa_delete: false };
        Subject { bucket: recorded.bucket, versioning: recorded.versioning.or(live).unwrap_or(off) }
    }
}

/// Input of `PutBucketVersioning`. Without `MFADelete`, S3 leaves MFA delete unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutVersioning {
    /// The bucket.
    #[serde(flatten)]
    pub bucket: OwnedBucket,
    /// `VersioningConfiguration`.
    pub versioning_configuration: SetStatus,
}

/// `VersioningConfiguration` with the status alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetStatus {
    /// `Enabled` or `Suspended`: S3 cannot set `Off`.
    pub status: Versioning,
}

/// The call of fix and undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Enables versioning; the undo suspends it.
    PutBucketVersioning(PutVersioning),
}

fn set(bucket: &Identity, status: Versioning) -> Action {
    let versioning_configuration = SetStatus { status };
    Action::PutBucketVersioning(PutVersioning { bucket: bucket.owned(), versioning_configuration })
}

impl Remediation for S3BucketVersioningEnabled {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[
                    Permission::on("s3:GetBucketVersioning", BUCKETS),
                    Permission::on("s3:GetBucketTagging", BUCKETS),
                ],
                fix: &[Permission::on("s3:PutBucketVersioning", BUCKETS)],
                undo: &[Permission::on("s3:PutBucketVersioning", BUCKETS)],
            }
        }
    }

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        if live.lacks_mfa_delete(params) {
            let instruction = "as the root user with its MFA device, call PutBucketVersioning with Status Enabled and \
                               MFADelete Enabled";
            return Plan::blocked(
                "MFA delete: only the root user can enable it",
                vec![Step::manual(Level::L0, instruction)],
            );
        }
        let blocker =
            live.versioning.mfa_delete.then_some("MFA delete is on: only the root user can change versioning");
        Plan::unless(blocker, vec![Step::call(Level::L2, set(&live.bucket, Versioning::Enabled))])
    }

    fn predict(&self, mut live: Subject, action: &Action) -> Subject {
        let Action::PutBucketVersioning(put) = action;
        if put.bucket.name == live.bucket.name {
            live.versioning.status = put.versioning_configuration.status;
        }
        live
    }

    /// Whether versioning is enabled: after an undo, `Suspended` replaces `Off`.
    fn touched_fields(&self, subject: &Subject, done: &[Action]) -> Value {
        let enabled = subject.versioning.status == Versioning::Enabled;
        if done.is_empty() { json!({}) } else { json!({ "Enabled": enabled }) }
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        Ok(done.iter().map(|_| set(&before.bucket, Versioning::Suspended)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_testing::{Case, Cases, Laws};

    use super::S3BucketVersioningEnabled as CONTROL;
    use super::*;
    use crate::testing::{item, pics};

    const MFA: &str = r#"{"isMfaDeleteEnabled": "true"}"#;
    const ENABLE: &str = r#"L2 PutBucketVersioning {"Bucket":"pics","ExpectedBucketOwner":"111122223333","VersioningConfiguration":{"Status":"Enabled"}}"#;
    const AS_ROOT: [&str; 2] = [
        "blocked: MFA delete: only the root user can enable it",
        "L0 manual: as the root user with its MFA device, call PutBucketVersioning with Status Enabled and MFADelete Enabled",
    ];

    fn subject(status: Versioning, mfa_delete: bool) -> Subject {
        Subject { bucket: pics(), versioning: VersioningConfiguration { status, mfa_delete } }
    }

    fn case(name: &str, status: Versioning, mfa_delete: bool) -> Case<'_, S3BucketVersioningEnabled> {
        Cases::of(&CONTROL, subject(status, mfa_delete)).case(name, |_| ())
    }

    #[test]
    fn cases() {
        let (off, enabled, suspended) = (Versioning::Off, Versioning::Enabled, Versioning::Suspended);
        case("s3-bucket-versioning-enabled/1", off, false).non_compliant("Versioning is Off").planned(&[ENABLE]);
        case("s3-bucket-versioning-enabled/2", suspended, false)
            .non_compliant("Versioning is Suspended")
            .planned(&[ENABLE]);
        case("s3-bucket-versioning-enabled/3", enabled, false).compliant();
        case("s3-bucket-versioning-enabled/4", enabled, false)
            .with(MFA)
            .non_compliant("MFA delete is off; required")
            .planned(&AS_ROOT);
        case("both required", off, false).with(MFA).non_compliant("Versioning is Off").planned(&AS_ROOT);
        case("with MFA delete", enabled, true).with(MFA).compliant();
        case("with MFA delete, not required", enabled, true).compliant();
        for absent in [r#"{"isMfaDeleteEnabled": ""}"#, r#"{"isMfaDeleteEnabled": "false"}"#] {
            case("s3-bucket-versioning-enabled/5", enabled, false).with(absent).compliant();
        }
        let root = "blocked: MFA delete is on: only the root user can change versioning";
        case("suspended with MFA delete", suspended, true)
            .with(MFA)
            .non_compliant("Versioning is Suspended")
            .planned(&[root, ENABLE]);
    }

    #[test]
    fn a_status_that_the_item_lacks_is_read_live() {
        let recorded = |versioning: Value| {
            RecordedVersioning::from_item(&item(json!({ "BucketVersioningConfiguration": versioning }))).unwrap()
        };
        let read = |versioning: Value, live| CONTROL.subject(recorded(versioning), live).versioning;
        let (off, enabled) = (subject(Versioning::Off, false), subject(Versioning::Enabled, true));
        let [off, enabled] = [off, enabled].map(|it| it.versioning);
        assert_eq!(read(json!(null), Some(enabled)), enabled, "s3-bucket-versioning-enabled/7");
        assert_eq!(read(json!({"status": "Off"}), Some(enabled)), off, "the item counts where it has the status");
        assert_eq!(read(json!(null), None), off, "not read");
    }

    /// `s3-bucket-versioning-enabled/6`
    #[test]
    fn undo_suspends_versioning_that_was_never_enabled() {
        let before = subject(Versioning::Off, false);
        let calls = CONTROL.undo(&before, &[set(&before.bucket, Versioning::Enabled)]).unwrap();
        assert_eq!(calls, [set(&before.bucket, Versioning::Suspended)]);
    }

    #[test]
    fn laws() {
        let status = prop::sample::select(vec![Versioning::Off, Versioning::Enabled, Versioning::Suspended]);
        let subjects = (status, any::<bool>(), any::<bool>()).prop_map(|(status, mfa_delete, required)| {
            (subject(status, mfa_delete), Params { is_mfa_delete_enabled: Flag(required) })
        });
        Laws::of(&CONTROL, &["/versioning/status"], Remediation::predict).hold(subjects);
    }
}
