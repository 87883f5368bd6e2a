//! Whether the bucket-level public access block has all four flags. Only the plan depends on the actual public access.

use rectify_compliance::values::{Flag, Globs};
use rectify_compliance::{
    Annotation, ConfigurationItem, Control, FromItem, Irreversible, Level, Permission, Plan, Remediation,
    RemediationPermissions, Resource, ShapeError, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::families::access::{Access, Flags, Ownership};
use crate::families::public_access::{self, Action, Subject, Undo, block};
use crate::resources::bucket::{self, Identity, TYPES};

control! {
    /// ## What it checks
    ///
    /// That the bucket-level public access block has all four flags, whether the bucket is public or not.
    /// A bucket without a block has none of them, and the account-level block does not count unless `acceptAccountLevel` is true.
    /// Buckets named by `excludedPublicBuckets` are compliant, with the annotation "excluded".
    ///
    /// ## Why it matters
    ///
    /// A private bucket becomes public through one statement or one grant, and one call removes the account-level block for all buckets.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"blockPublicAcls": true, "ignorePublicAcls": true, "blockPublicPolicy": true, "restrictPublicBuckets": true}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"blockPublicAcls": true, "ignorePublicAcls": false, "blockPublicPolicy": true, "restrictPublicBuckets": false}
    /// ```
    ///
    /// Annotation: `Bucket block lacks IgnorePublicAcls, RestrictPublicBuckets`.
    ///
    /// ## Parameters
    ///
    /// `excludedPublicBuckets` names intentionally public buckets, exactly or with `*` and `?`.
    /// With `acceptAccountLevel` a flag counts where either the bucket or the account sets it, as S3 combines the two blocks.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` with all four flags.
    /// Level L1 where nothing in use can break: the object ownership is `BucketOwnerEnforced`, and neither policy nor access points allow public access.
    /// Otherwise L2: requests that set a public ACL are rejected, objects with a public ACL (object ACLs are not read) become private, and public access ends.
    /// Where the bucket is public, the call is planned and never applied for the reasons of `s3-bucket-public-read-prohibited`: an access point allows public access, S3 reports the policy as public and no statement explains it, or the policy also allows other principals that `RestrictPublicBuckets` would cut off.
    /// A website blocks the plan wherever ACLs are in effect or the bucket is public.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the flags in between is overwritten.
    /// Undo restores the four flags, or removes the block where there was none, and so may open the bucket to the public again.
    ///
    /// ## References
    ///
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-level-public-access-prohibited.html)
    /// - [Blocking public access to your Amazon S3 storage](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)
    /// - [Security Hub S3.8](https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-8)
    pub S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED: S3BucketLevelPublicAccessProhibited {
        id: "s3-bucket-level-public-access-prohibited",
        title: "Bucket-level block of public access is incomplete",
        severity: High,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L2,
        frameworks: {
            Cis30: ["2.1.4"],
            Cis50: ["2.1.4"],
            Fsbp: ["S3.8"],
            Nist80053r5: ["AC-3", "AC-4", "AC-21", "SC-7"],
        },
    }
}

parameters! {
    /// The buckets that must have a bucket-level block, and whether the account-level block counts.
    pub Params {
        /// Names of intentionally public buckets, or patterns with `*` and `?`: COMPLIANT. Default: none.
        excluded_public_buckets: Option<Globs> = None,
        /// Whether a flag of the account-level block counts as set on the bucket. Default `false`.
        accept_account_level: Flag = Flag(false),
    }
}

impl Params {
    /// Whether the verdict for this bucket needs the account-level block.
    pub fn needs_account_block(&self, recorded: &RecordedBlock) -> bool {
        self.accept_account_level.0 && !recorded.block.unwrap_or_default().missing(Flags::ALL).is_empty()
    }
}

/// The bucket-level block as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBlock {
    /// The bucket.
    pub bucket: Identity,
    /// Its block; `None` where it has none.
    pub block: Option<Flags>,
}

impl Resource for RecordedBlock {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { bucket: Identity::of_item(item), block: bucket::block(item)? })
    }
}

/// The account-level block, where the verdict needs it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Facts {
    /// s3control `GetPublicAccessBlock`: all false where none exists.
    #[serde(default)]
    pub account_block: Flags,
}

impl Control for S3BucketLevelPublicAccessProhibited {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        if params.excluded_public_buckets.as_ref().is_some_and(|excluded| excluded.matches(&subject.bucket.name)) {
            return Verdict::Compliant(Some(Annotation::new("excluded")));
        }
        let missing = subject.block.unwrap_or_default().missing(Flags::ALL);
        if missing.is_empty() {
            return Verdict::COMPLIANT;
        }
        if !params.accept_account_level.0 {
            return Verdict::non_compliant(format!("Bucket block lacks {}", missing.join(", ")));
        }
        let missing = subject.block.unwrap_or_default().or(subject.account_block).missing(Flags::ALL);
        if missing.is_empty() {
            let note = if subject.block.is_some_and(|it| it != Flags::NONE) && subject.account_block != Flags::ALL {
                "protected by bucket and account-level block together"
            } else {
                "protected by account-level block"
            };
            return Verdict::Compliant(Some(Annotation::new(note)));
        }
        Verdict::non_compliant(format!("Bucket and account block lack {}", missing.join(", ")))
    }
}

impl FromItem for S3BucketLevelPublicAccessProhibited {
    type Resource = RecordedBlock;
    type Facts = Facts;
    fn fact_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("s3:GetAccountPublicAccessBlock")] }
    }

    /// The verdict needs only the blocks; the other settings are not read and have their least restrictive values.
    fn subject(&self, recorded: RecordedBlock, facts: Facts) -> Subject {
        Subject {
            bucket: recorded.bucket,
            acl: None,
            ownership: Ownership::ObjectWriter,
            policy: None,
            policy_is_public: None,
            block: recorded.block,
            account_block: facts.account_block,
            website: None,
            access_points: Vec::new(),
        }
    }
}

impl Remediation for S3BucketLevelPublicAccessProhibited {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: public_access::READ_PERMISSIONS,
            fix: public_access::FIX_PERMISSIONS,
            undo: public_access::FIX_PERMISSIONS,
        }
    }

    fn fix(&self, live: &Subject, _params: &Params, _now: Timestamp) -> Plan<Action> {
        let step = |level| vec![Step::call(level, block::put(live, Flags::ALL))];
        let params = public_access::Params::default();
        let exposure = live.exposure(&params);
        if exposure.is_empty() && live.ownership == Ownership::BucketOwnerEnforced {
            return Plan::Apply { steps: step(Level::L1) };
        }
        let blocker = [Access::Read, Access::Write]
            .into_iter()
            .find_map(|access| block::blocker(live, &params, access, &exposure));
        Plan::unless(blocker, step(Level::L2))
    }

    fn predict(&self, live: Subject, action: &Action) -> Subject {
        block::predict(live, action)
    }

    fn touched_fields(&self, subject: &Subject, _done: &[Action]) -> Value {
        block::touched_fields(subject)
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        block::undo(before, done)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::plan::call_text;
    use rectify_testing::cases::lines;
    use rectify_testing::{Case, Cases, NOW};
    use serde_json::json;

    use super::S3BucketLevelPublicAccessProhibited as CONTROL;
    use super::*;
    use crate::controls::s3_bucket_public_read_prohibited::READ;
    use crate::families::access::{Grantee, Permission as Grants};
    use crate::families::public_access::laws;
    use crate::testing::{allow, allowing, bare, granting, item, open_access_point, policy};

    const LACKS_ALL: &str =
        "Bucket block lacks BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets";
    const ACCEPTING: &str = r#"{"acceptAccountLevel": "true"}"#;
    /// The flags that affect existing grants.
    const EFFECTIVE: Flags = Flags { ignore_public_acls: true, restrict_public_buckets: true, ..Flags::NONE };

    fn recorded(block: Option<Flags>) -> RecordedBlock {
        RecordedBlock { bucket: bare().bucket, block }
    }

    fn case(name: &str, block: Option<Flags>, account_block: Flags) -> Case<'_, S3BucketLevelPublicAccessProhibited> {
        Cases::of(&CONTROL, CONTROL.subject(recorded(block), Facts { account_block })).case(name, |_| ())
    }

    fn planned(subject: &Subject) -> Vec<String> {
        lines(&CONTROL.plan(subject, &Params::default(), NOW))
    }

    fn put(level: Level) -> String {
        format!("{level} {}", call_text(&block::put(&bare(), Flags::ALL)))
    }

    /// A bucket with S3's current defaults, without the block.
    fn private() -> Subject {
        Subject { ownership: Ownership::BucketOwnerEnforced, ..bare() }
    }

    #[test]
    fn cases() {
        let (none, all) = (Flags::NONE, Flags::ALL);
        let three = Flags { block_public_policy: false, ..all };
        let one = Flags { ignore_public_acls: true, ..none };
        let restricting = Flags { restrict_public_buckets: true, ..none };
        let compliant_with_note = |text: &str| Verdict::Compliant(Some(Annotation::new(text)));
        let lacks_policy = "Bucket and account block lack BlockPublicPolicy";
        case("s3-bucket-level-public-access-prohibited/1", None, none).non_compliant(LACKS_ALL);
        case("no flag", Some(none), none).non_compliant(LACKS_ALL);
        case("s3-bucket-level-public-access-prohibited/2", Some(three), none)
            .non_compliant("Bucket block lacks BlockPublicPolicy");
        case("s3-bucket-level-public-access-prohibited/3", None, all).non_compliant(LACKS_ALL);
        case("s3-bucket-level-public-access-prohibited/3, accepted", None, all)
            .with(ACCEPTING)
            .is(&compliant_with_note("protected by account-level block"));
        case("an account with three", None, three).with(ACCEPTING).non_compliant(lacks_policy);
        case("the account's three, not accepted", Some(Flags::ACL_PAIR), Flags::POLICY_PAIR)
            .non_compliant("Bucket block lacks BlockPublicPolicy, RestrictPublicBuckets");
        case("s3-bucket-level-public-access-prohibited/8", Some(Flags::ACL_PAIR), Flags::POLICY_PAIR)
            .with(ACCEPTING)
            .is(&compliant_with_note("protected by bucket and account-level block together"));
        case("a flag that neither sets", Some(Flags::ACL_PAIR), restricting)
            .with(ACCEPTING)
            .non_compliant(lacks_policy);
        case("a bucket with one, an account with all", Some(one), all)
            .with(ACCEPTING)
            .is(&compliant_with_note("protected by account-level block"));
        case("s3-bucket-level-public-access-prohibited/4", Some(EFFECTIVE), none)
            .non_compliant("Bucket block lacks BlockPublicAcls, BlockPublicPolicy");
        for excluded in [r#"{"excludedPublicBuckets": "web, pics"}"#, r#"{"excludedPublicBuckets": "p*s"}"#] {
            case("s3-bucket-level-public-access-prohibited/5", None, none)
                .with(excluded)
                .is(&compliant_with_note("excluded"));
        }
        case("another name", None, none).with(r#"{"excludedPublicBuckets": "pic, PICS"}"#).non_compliant(LACKS_ALL);
        case("all", Some(all), none).compliant();
    }

    #[test]
    fn there_is_no_public_read_where_the_effective_flags_are_set() {
        let open = Subject { block: Some(EFFECTIVE), ..granting(Grantee::AllUsers, Grants::Read) };
        Cases::of(&READ, open).case("s3-bucket-level-public-access-prohibited/4", |_| ()).compliant();
    }

    #[test]
    fn the_account_block_is_read_only_where_it_can_decide() {
        let accepting = Params { accept_account_level: Flag(true), ..Params::default() };
        assert!(!Params::default().needs_account_block(&recorded(None)));
        assert!(accepting.needs_account_block(&recorded(Some(Flags::ACL_PAIR))));
        assert!(!accepting.needs_account_block(&recorded(Some(Flags::ALL))));
        let malformed_elsewhere = item(json!({"AccessControlList": "{", "BucketPolicy": 7}));
        assert_eq!(RecordedBlock::from_item(&malformed_elsewhere).unwrap().block, None);
    }

    #[test]
    fn the_level_is_l1_where_no_access_can_be_in_use_and_else_l2() {
        let open = allowing(allow(json!({})));
        for (name, subject, level) in [
            ("private", private(), Level::L1),
            (
                "s3-bucket-level-public-access-prohibited/7",
                Subject { block: Some(Flags::ACL_PAIR), ..private() },
                Level::L1,
            ),
            ("stale ACL", Subject { acl: granting(Grantee::AllUsers, Grants::Read).acl, ..private() }, Level::L1),
            ("a website behind CloudFront", Subject { website: Some(true), ..private() }, Level::L1),
            ("s3-bucket-level-public-access-prohibited/6", bare(), Level::L2),
            ("public policy", Subject { ownership: Ownership::BucketOwnerEnforced, ..open }, Level::L2),
        ] {
            assert_eq!(planned(&subject), [put(level)], "{name}");
        }
    }

    #[test]
    fn access_that_must_not_end_automatically_blocks_the_plan() {
        let partner = json!({"Sid": "Partner", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}});
        let point = |action| Subject { access_points: vec![open_access_point("app", action)], ..private() };
        for (subject, expected) in [
            (Subject { website: Some(true), ..bare() }, "website: "),
            (Subject { website: None, ..bare() }, "website: "),
            (Subject { acl: None, ..bare() }, "acl not read: "),
            (point("s3:GetObject"), "accesspoint:app: "),
            (point("s3:PutObject"), "accesspoint:app: "),
            (
                Subject {
                    policy: Some(policy(json!([allow(json!({"Action": "s3:PutObject"})), allow(partner)]))),
                    ..bare()
                },
                "RestrictPublicBuckets would also cut off other principals in policy:Partner",
            ),
            (Subject { policy_is_public: Some(true), ..private() }, "GetBucketPolicyStatus disagrees"),
        ] {
            let planned = planned(&subject);
            assert!(planned[0].starts_with(&format!("blocked: {expected}")), "{expected}: {planned:?}");
            assert_eq!(planned[1..], [put(Level::L2)]);
        }
    }

    #[test]
    fn laws() {
        let excluded = prop::option::weighted(0.5, prop::sample::select(vec!["pics", "p*", "other"]));
        let generated = (excluded, any::<bool>()).prop_map(|(excluded, accept)| Params {
            excluded_public_buckets: excluded.map(|list| list.parse().unwrap()),
            accept_account_level: Flag(accept),
        });
        laws::hold(&CONTROL, generated);
    }
}
