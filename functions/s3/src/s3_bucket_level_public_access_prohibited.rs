//! Whether a bucket has all four flags of its own block. Who can reach it matters to the plan alone.

use rectify_compliance::values::{Flag, Globs};
use rectify_compliance::{
    Annotation, ConfigurationItem, Control, FromItem, Irreversible, Level, Parameters, Permission, Plan, Remediation,
    Resource, ShapeError, Step, Timestamp, Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::{Access, Flags, Ownership};
use crate::bucket::{self, Identity, TYPES};
use crate::public_access::{self, Action, Subject, Undo, mend};

control! {
    /// ## What it checks
    ///
    /// That the bucket's own public access block has all four flags, whether anything public is there or not.
    /// A bucket without a block has none of them, and a block of the account does not count unless `acceptAccountLevel` says so.
    /// Buckets named by `excludedPublicBuckets` are compliant and say "excluded".
    ///
    /// ## Why it matters
    ///
    /// A bucket that is private today becomes public by one statement or one grant, and a block of the account can be taken away by one call for all buckets at once.
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
    /// `excludedPublicBuckets` names buckets that are public on purpose, exactly or with `*` and `?`.
    /// With `acceptAccountLevel` a flag counts where either the bucket or the account sets it, which is how S3 combines the two blocks.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` with all four flags.
    /// Level L1 where nothing in use can break: the object ownership is `BucketOwnerEnforced`, and neither policy nor access points let the public in.
    /// Otherwise L2: writers that send a public ACL are refused, objects whose own ACL is public (which is not looked at) become private, and public access ends.
    /// Where the public can reach the bucket it is planned and never applied for the reasons of `s3-bucket-public-read-prohibited`: an access point lets the public in, S3 calls the policy public and no statement explains it, or the policy also lets others in whom `RestrictPublicBuckets` would cut off.
    /// A website holds it back wherever ACLs are in effect or the public comes in.
    /// Between the last live read and the call lies a window of milliseconds, as the API knows no revisions: a change of the flags in it is overwritten.
    /// Undo puts the four flags back, or removes the block where there was none, and so may open the bucket again.
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

/// Parameters of [`S3BucketLevelPublicAccessProhibited`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Params {
    /// Names of buckets, or patterns with `*` and `?`, that are public on purpose: COMPLIANT. Default: none.
    pub excluded_public_buckets: Option<Globs>,
    /// Whether a flag that the account's block sets counts as set on the bucket. Default `false`.
    pub accept_account_level: Flag,
}

impl Parameters for Params {}

impl Params {
    /// Whether a verdict about this bucket needs the account's block.
    pub fn ask_for_account(&self, recorded: &RecordedBlock) -> bool {
        self.accept_account_level.0 && !recorded.block.unwrap_or_default().lacking(Flags::ALL).is_empty()
    }
}

/// The block of a bucket as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBlock {
    /// Which bucket.
    pub bucket: Identity,
    /// Its own block; `None` where it has none.
    pub block: Option<Flags>,
}

impl Resource for RecordedBlock {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self { bucket: Identity::of_item(item), block: bucket::block(item)? })
    }
}

/// The block of the account, where it was asked for.
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
        let lacking = subject.block.unwrap_or_default().lacking(Flags::ALL);
        if lacking.is_empty() {
            return Verdict::COMPLIANT;
        }
        if !params.accept_account_level.0 {
            return Verdict::non_compliant(format!("Bucket block lacks {}", lacking.join(", ")));
        }
        let lacking = subject.block.unwrap_or_default().or(subject.account_block).lacking(Flags::ALL);
        if lacking.is_empty() {
            let by = if subject.block.is_some_and(|it| it != Flags::NONE) && subject.account_block != Flags::ALL {
                "protected by bucket and account-level block together"
            } else {
                "protected by account-level block"
            };
            return Verdict::Compliant(Some(Annotation::new(by)));
        }
        Verdict::non_compliant(format!("Bucket and account block lack {}", lacking.join(", ")))
    }
}

impl FromItem for S3BucketLevelPublicAccessProhibited {
    type Resource = RecordedBlock;
    type Facts = Facts;
    fn fact_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("s3:GetAccountPublicAccessBlock")] }
    }

    /// What this verdict does not need was not asked for, and stands as the most open there is.
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
    fn read_permissions(&self) -> &'static [Permission] {
        public_access::LIVE
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        public_access::CALLS
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        public_access::CALLS
    }

    fn fix(&self, live: &Subject, _params: &Params, _now: Timestamp) -> Plan<Action> {
        let step = |level| vec![Step::call(level, mend::put(live, Flags::ALL))];
        let everybody = public_access::Params::default();
        let exposure = live.exposure(&everybody);
        if exposure.is_none() && live.ownership == Ownership::BucketOwnerEnforced {
            return Plan::Do { steps: step(Level::L1) };
        }
        let obstacle = [Access::Read, Access::Write]
            .into_iter()
            .find_map(|access| mend::obstacle(live, &everybody, access, &exposure));
        match obstacle {
            Some(reason) => Plan::hold(reason, step(Level::L2)),
            None => Plan::Do { steps: step(Level::L2) },
        }
    }

    fn expect(&self, live: Subject, action: &Action) -> Subject {
        public_access::expect(live, action)
    }

    fn footprint(&self, subject: &Subject, _done: &[Action]) -> Value {
        public_access::footprint(subject)
    }

    fn undo(&self, before: &Subject, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        public_access::undo(before, done)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::access::{Grantee, Permission as Grants};
    use crate::public_access::laws;
    use crate::testing::{NOW, allow, allowing, bare, granting, item, open_access_point, policy};
    use proptest::prelude::*;
    use serde_json::json;

    fn params(text: Value) -> Params {
        serde_json::from_value(text).unwrap()
    }

    fn verdict(block: Option<Flags>, account_block: Flags, params: &Params) -> Verdict {
        let recorded = RecordedBlock { bucket: bare().bucket, block };
        S3BucketLevelPublicAccessProhibited.evaluate(
            &S3BucketLevelPublicAccessProhibited.subject(recorded, Facts { account_block }),
            params,
            NOW,
        )
    }

    fn planned(subject: &Subject) -> (Plan<Action>, Option<Level>) {
        let plan = S3BucketLevelPublicAccessProhibited.plan(subject, &Params::default(), NOW);
        (plan.clone(), plan.level())
    }

    /// A bucket as S3 makes them today, without its block.
    fn quiet() -> Subject {
        Subject { ownership: Ownership::BucketOwnerEnforced, ..bare() }
    }

    #[test]
    fn all_four_flags_of_the_bucket_itself_are_wanted() {
        let lacks = |flags: &str| Verdict::non_compliant(format!("Bucket block lacks {flags}"));
        let together_lack = |flags: &str| Verdict::non_compliant(format!("Bucket and account block lack {flags}"));
        let every = "BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets";
        let policy = "BlockPublicPolicy, RestrictPublicBuckets";
        let three = Flags { block_public_policy: false, ..Flags::ALL };
        let effective = Flags { ignore_public_acls: true, restrict_public_buckets: true, ..Flags::NONE };
        let (default, account) = (Params::default(), params(json!({"acceptAccountLevel": "true"})));
        let excluded = |list: &str| params(json!({ "excludedPublicBuckets": list }));
        let by = |text: &str| Verdict::Compliant(Some(Annotation::new(text)));
        for (case, block, account_block, params, expected) in [
            ("s3-bucket-level-public-access-prohibited/1", None, Flags::NONE, &default, lacks(every)),
            ("no flag", Some(Flags::NONE), Flags::NONE, &default, lacks(every)),
            (
                "s3-bucket-level-public-access-prohibited/2",
                Some(three),
                Flags::NONE,
                &default,
                lacks("BlockPublicPolicy"),
            ),
            ("s3-bucket-level-public-access-prohibited/3", None, Flags::ALL, &default, lacks(every)),
            (
                "s3-bucket-level-public-access-prohibited/3, accepted",
                None,
                Flags::ALL,
                &account,
                by("protected by account-level block"),
            ),
            ("an account with three", None, three, &account, together_lack("BlockPublicPolicy")),
            ("the account's three, not accepted", Some(Flags::ACL_PAIR), Flags::POLICY_PAIR, &default, lacks(policy)),
            (
                "s3-bucket-level-public-access-prohibited/8",
                Some(Flags::ACL_PAIR),
                Flags::POLICY_PAIR,
                &account,
                by("protected by bucket and account-level block together"),
            ),
            (
                "a flag that neither sets",
                Some(Flags::ACL_PAIR),
                Flags { restrict_public_buckets: true, ..Flags::NONE },
                &account,
                together_lack("BlockPublicPolicy"),
            ),
            (
                "a bucket with one, an account with all",
                Some(Flags { ignore_public_acls: true, ..Flags::NONE }),
                Flags::ALL,
                &account,
                by("protected by account-level block"),
            ),
            (
                "s3-bucket-level-public-access-prohibited/4",
                Some(effective),
                Flags::NONE,
                &default,
                lacks("BlockPublicAcls, BlockPublicPolicy"),
            ),
            ("s3-bucket-level-public-access-prohibited/5", None, Flags::NONE, &excluded("web, pics"), by("excluded")),
            ("s3-bucket-level-public-access-prohibited/5, glob", None, Flags::NONE, &excluded("p*s"), by("excluded")),
            ("another name", None, Flags::NONE, &excluded("pic, PICS"), lacks(every)),
            ("all", Some(Flags::ALL), Flags::NONE, &default, Verdict::COMPLIANT),
        ] {
            assert_eq!(verdict(block, account_block, params), expected, "{case}");
        }
        let open = Subject { block: Some(effective), ..granting(Grantee::AllUsers, Grants::Read) };
        let read = crate::S3BucketPublicReadProhibited.evaluate(&open, &public_access::Params::default(), NOW);
        assert!(read.is_compliant(), "s3-bucket-level-public-access-prohibited/4: nobody reads it");
    }

    #[test]
    fn the_account_is_asked_only_where_its_block_can_decide() {
        let recorded = |block| RecordedBlock { bucket: bare().bucket, block };
        let accepting = params(json!({"acceptAccountLevel": true}));
        assert!(!Params::default().ask_for_account(&recorded(None)));
        assert!(accepting.ask_for_account(&recorded(Some(Flags::ACL_PAIR))));
        assert!(!accepting.ask_for_account(&recorded(Some(Flags::ALL))));
        let with_other_parts_broken = item(json!({"AccessControlList": "{", "BucketPolicy": 7}));
        assert_eq!(RecordedBlock::from_item(&with_other_parts_broken).unwrap().block, None);
    }

    #[test]
    fn what_nobody_uses_is_closed_at_once_and_what_may_be_in_use_only_where_opted_in() {
        let (plan, level) = planned(&quiet());
        let sent = json!([{"PutPublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333",
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true,
                                               "BlockPublicPolicy": true, "RestrictPublicBuckets": true}}}]);
        assert_eq!(level, Some(Level::L1));
        assert_eq!(serde_json::to_value(plan.calls()).unwrap(), sent);
        let some = Subject { block: Some(Flags::ACL_PAIR), ..quiet() };
        assert_eq!(
            serde_json::to_value(planned(&some).0.calls()).unwrap(),
            sent,
            "s3-bucket-level-public-access-prohibited/7"
        );

        let open = |statement| Subject { ownership: Ownership::BucketOwnerEnforced, ..allowing(statement) };
        for (case, subject, expected) in [
            ("stale ACL", Subject { acl: granting(Grantee::AllUsers, Grants::Read).acl, ..quiet() }, Level::L1),
            ("a website of CloudFront", Subject { website: Some(true), ..quiet() }, Level::L1),
            ("s3-bucket-level-public-access-prohibited/6", bare(), Level::L2),
            ("public policy", open(allow(json!({}))), Level::L2),
        ] {
            let (plan, level) = planned(&subject);
            assert!(matches!(plan, Plan::Do { .. }) && level == Some(expected), "{case}: {plan:?}");
        }
    }

    #[test]
    fn what_a_machine_must_not_end_is_held() {
        let partner = json!({"Sid": "Partner", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}});
        let point = |action| Subject { access_points: vec![open_access_point("app", action)], ..quiet() };
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
                "RestrictPublicBuckets would also cut off others in policy:Partner",
            ),
            (Subject { policy_is_public: Some(true), ..quiet() }, "GetBucketPolicyStatus disagrees"),
        ] {
            let (plan, level) = planned(&subject);
            assert!(matches!(&plan, Plan::Hold { reason, .. } if reason.starts_with(expected)), "{expected}: {plan:?}");
            assert_eq!(level, Some(Level::L2));
        }
    }

    #[test]
    fn the_laws_of_remediation_hold() {
        let excluded = prop::option::weighted(0.5, prop::sample::select(vec!["pics", "p*", "other"]));
        let generated = (excluded, any::<bool>()).prop_map(|(excluded, accept)| Params {
            excluded_public_buckets: excluded.map(|list| list.parse().unwrap()),
            accept_account_level: Flag(accept),
        });
        laws::hold(&S3BucketLevelPublicAccessProhibited, generated);
    }
}
