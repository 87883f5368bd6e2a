//! Whether the public can read a bucket. Knows nothing of writing but what lets a writer help itself to reading.

use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Permission, Plan, Remediation, Resource, Timestamp, Verdict, control,
};
use serde_json::Value;

use crate::access::Access;
use crate::bucket::Bucket;
use crate::public_access::{self, Action, Facts, Params, Subject, Undo};

control! {
    /// ## What it checks
    ///
    /// That nobody outside can list a bucket or read its objects or settings.
    /// ACL, bucket policy, object ownership and the public access blocks of bucket and account are judged together.
    /// A public grant counts only if it has effect: `IgnorePublicAcls` and the ownership `BucketOwnerEnforced` switch ACLs off, `RestrictPublicBuckets` switches a public policy off.
    /// `BlockPublicAcls` and `BlockPublicPolicy` refuse new grants and leave existing ones in effect, so they do not make a bucket compliant.
    /// A policy statement is public when it allows a wildcard, `NotPrincipal` or an open identity provider, and no condition narrows it to fixed values as S3 defines them.
    /// `WriteAcp` and `FullControl` count as reading, since their holder can grant itself the rest.
    /// Periodic runs also judge access points and ask S3 for its own verdict on the policy, which has the last word.
    /// S3 does not say for what a policy is public: where no public statement explains it, what the Allow statements for everyone permit decides whether it is a finding here, in `s3-bucket-public-write-prohibited` or in both, and where they permit neither it is one in both.
    /// A change event judges without these two, so its verdict can differ from a periodic run's until the next one.
    /// A policy or ACL that cannot be decoded fails the invocation, as does a setting that may not be read: neither is taken for private.
    /// Access points of other accounts, ACLs of single objects and directory buckets are not looked at.
    ///
    /// ## Why it matters
    ///
    /// Whatever lies in the bucket is copied by scanners within hours of being readable, and cannot be called back.
    ///
    /// ## Compliant example
    ///
    /// A bucket whose ACL lets `AllUsers` read while the account's block sets `IgnorePublicAcls`.
    /// The verdict then says "protected by account-level block".
    ///
    /// ## Non-compliant example
    ///
    /// ```json
    /// {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:${AWS::Partition}:s3:::pics/*"}
    /// ```
    ///
    /// Annotation: `Public read through policy:Open; RestrictPublicBuckets=false`.
    ///
    /// ## Parameters
    ///
    /// `treatAuthenticatedUsersAsPublic` decides which ACL grants count, `checkAccessPoints` whether access points are asked for.
    /// `publicTag` changes no verdict: a bucket that carries it is planned for and left to a person.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` on the bucket, level L2: whoever relies on the access loses it.
    /// It adds to the flags already set the pair that the cause needs: `BlockPublicAcls` and `IgnorePublicAcls` for an ACL, `BlockPublicPolicy` and `RestrictPublicBuckets` for a policy.
    /// ACL and policy stay as they are.
    /// It is planned and never applied when the bucket serves a website, when it carries `publicTag`, when an access point is a cause, when S3 calls the policy public and no statement explains it, when the policy also names other accounts or lets others in under a condition (`RestrictPublicBuckets` would cut them off), and when the ACL also serves AuthenticatedUsers who are not public by parameter.
    /// Between the last live read and the call lies a window of milliseconds, as the API knows no revisions: a change of the flags in it is overwritten.
    /// Undo puts the four flags back, or removes the block where there was none, and so opens the bucket again.
    /// IAM has no action of its own for removing a block: `s3:PutBucketPublicAccessBlock` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [Blocking public access to your Amazon S3 storage](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)
    /// - [Controlling ownership of objects and disabling ACLs](https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html)
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-public-read-prohibited.html)
    pub S3_BUCKET_PUBLIC_READ_PROHIBITED: S3BucketPublicReadProhibited {
        id: "s3-bucket-public-read-prohibited",
        title: "S3 bucket content can be read by the public",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: Bucket::TYPES,
        level: L2,
        frameworks: {
            Cis30: ["2.1.4"],
            Cis50: ["2.1.4"],
            Fsbp: ["S3.2"],
            Nist80053r5: ["AC-3", "AC-3(7)", "AC-4", "AC-6", "AC-21", "SC-7"],
            Pci40: ["1.2.8", "1.3.1", "1.4.2", "10.3.2", "3.5.1.3"],
        },
    }
}

impl Control for S3BucketPublicReadProhibited {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        public_access::evaluate(subject, params, Access::Read)
    }
}

impl FromItem for S3BucketPublicReadProhibited {
    type Resource = Bucket;
    type Facts = Facts;
    fn fact_permissions(&self) -> &'static [Permission] {
        public_access::FACTS
    }

    fn subject(&self, bucket: Bucket, facts: Facts) -> Subject {
        public_access::subject(bucket, facts)
    }
}

impl Inventory for S3BucketPublicReadProhibited {
    fn list_permissions(&self) -> &'static [Permission] {
        public_access::LISTING
    }
}

impl Remediation for S3BucketPublicReadProhibited {
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

    fn fix(&self, live: &Subject, params: &Params, _now: Timestamp) -> Plan<Action> {
        public_access::plan(live, params, Access::Read)
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
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::needless_pass_by_value
)]
mod tests {
    use super::*;
    use crate::access::{Flags, Grantee, Ownership, Permission as Grants};
    use crate::public_access::laws;
    use crate::testing::{NOW, allow, allowing, bare, granting, item, notification, open_access_point};
    use rectify_compliance::item::ApiItem;
    use rectify_compliance::values::Flag;
    use rectify_compliance::{ConfigurationItem, StoredImage};
    use serde_json::json;

    const OPEN: &str = "Public read through policy:Open; RestrictPublicBuckets=false";
    const ALL: Flags = Flags::ACL_PAIR.or(Flags::POLICY_PAIR);
    const FACTS: Facts =
        Facts { account_block: Flags::NONE, ownership: Ownership::ObjectWriter, acl: None, policy: None };

    fn verdict(subject: &Subject) -> Verdict {
        S3BucketPublicReadProhibited.evaluate(subject, &Params::default(), NOW)
    }

    fn under(operator: &str, key: &str, value: Value) -> Subject {
        allowing(allow(json!({"Condition": {operator: {key: value}}})))
    }

    #[test]
    fn the_cases_of_the_control_have_their_verdicts() {
        let everyone_reads = || granting(Grantee::AllUsers, Grants::Read);
        let by_acl = || Verdict::non_compliant("Public read through acl AllUsers:Read");
        let open = || Verdict::non_compliant(OPEN);
        let guarded = || Verdict::Compliant(Some("protected by account-level block".into()));
        let ignoring = Flags { ignore_public_acls: true, ..Flags::NONE };
        let blocking = Flags { block_public_acls: true, ..Flags::NONE };
        let both = json!({"Principal": {"AWS": ["*", "arn:aws:iam::111122223333:root"]}});
        let all_but = json!({"NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}});
        let through_point = Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
        let rows = [
            ("s3-bucket-public-read-prohibited/1", Subject { account_block: ALL, ..everyone_reads() }, guarded()),
            (
                "s3-bucket-public-read-prohibited/2",
                Subject { account_block: ignoring, ..allowing(allow(json!({}))) },
                open(),
            ),
            ("s3-bucket-public-read-prohibited/3", Subject { block: Some(blocking), ..everyone_reads() }, by_acl()),
            (
                "s3-bucket-public-read-prohibited/4",
                under("StringEquals", "aws:SourceVpce", json!("vpce-1")),
                Verdict::COMPLIANT,
            ),
            ("s3-bucket-public-read-prohibited/5", under("IpAddress", "aws:SourceIp", json!("0.0.0.0/1")), open()),
            (
                "s3-bucket-public-read-prohibited/5",
                under("IpAddress", "aws:SourceIp", json!("203.0.113.0/24")),
                Verdict::COMPLIANT,
            ),
            (
                "s3-bucket-public-read-prohibited/5",
                under("IpAddress", "aws:SourceIp", json!("10.0.0.0/8")),
                Verdict::COMPLIANT,
            ),
            ("s3-bucket-public-read-prohibited/6", under("StringLike", "aws:PrincipalOrgID", json!("o-*")), open()),
            (
                "s3-bucket-public-read-prohibited/6",
                under("StringEquals", "aws:PrincipalOrgID", json!("o-abc")),
                Verdict::COMPLIANT,
            ),
            (
                "s3-bucket-public-read-prohibited/7",
                under("StringEqualsIfExists", "aws:SourceVpc", json!("vpc-1")),
                open(),
            ),
            ("s3-bucket-public-read-prohibited/8", allowing(allow(both)), open()),
            ("s3-bucket-public-read-prohibited/8", allowing(allow(all_but)), open()),
            (
                "s3-bucket-public-read-prohibited/11",
                through_point,
                Verdict::non_compliant("Public read through accesspoint:app; RestrictPublicBuckets=false"),
            ),
            (
                "s3-bucket-public-read-prohibited/13",
                Subject { account_block: ALL, ..allowing(allow(json!({}))) },
                guarded(),
            ),
            ("s3-bucket-public-read-prohibited/13", allowing(allow(json!({}))), open()),
        ];
        for (case, subject, expected) in rows {
            assert_eq!(verdict(&subject), expected, "{case}: {subject:?}");
        }
    }

    #[test]
    fn an_acl_has_no_effect_where_ownership_is_enforced_and_both_shapes_of_the_item_say_the_same() {
        let acl = json!({"grantList": [{"grantee": "AllUsers", "permission": "Read"}]}).to_string();
        let supplementary = json!({"AccessControlList": acl, "BucketPolicy": {"policyText": null}});
        let judged = |item: &ConfigurationItem, ownership| {
            let bucket = Bucket::from_item(item).unwrap();
            verdict(&S3BucketPublicReadProhibited.subject(bucket, Facts { ownership, ..FACTS }))
        };
        let noticed = item(supplementary.clone());
        let case = "s3-bucket-public-read-prohibited/9: stale ACL under BucketOwnerEnforced";
        assert_eq!(judged(&noticed, Ownership::BucketOwnerEnforced), Verdict::COMPLIANT, "{case}");

        let text = |key: &str| Some(notification(json!({}))[key].as_str().unwrap().to_owned());
        let answered = ConfigurationItem::from_api(ApiItem {
            account: text("awsAccountId"),
            region: text("awsRegion"),
            resource_type: text("resourceType"),
            resource_id: text("resourceId"),
            status: text("configurationItemStatus"),
            captured_at: Some(NOW),
            configuration: Some("{}".to_owned()),
            supplementary: [
                ("AccessControlList".to_owned(), json!(acl).to_string()),
                ("BucketPolicy".to_owned(), supplementary["BucketPolicy"].to_string()),
            ]
            .into(),
            ..ApiItem::default()
        })
        .unwrap();
        let case = "s3-bucket-public-read-prohibited/12: ACL encoded twice in the API's shape";
        let by_acl = Verdict::non_compliant("Public read through acl AllUsers:Read");
        assert_eq!(judged(&answered, Ownership::ObjectWriter), by_acl, "{case}");
        assert_eq!(judged(&noticed, Ownership::ObjectWriter), by_acl, "{case}");
    }

    #[test]
    fn s3_has_the_last_word_on_the_policy() {
        let asked = |subject: Subject, public| verdict(&Subject { policy_is_public: Some(public), ..subject });
        assert_eq!(asked(allowing(allow(json!({}))), false), Verdict::COMPLIANT);
        assert_eq!(asked(allowing(allow(json!({}))), true), Verdict::non_compliant(OPEN));
        assert_eq!(asked(allowing(allow(json!({"Action": "s3:PutObject"}))), true), Verdict::COMPLIANT);
    }

    #[test]
    fn what_neither_item_nor_facts_held_is_judged_as_open() {
        let bucket = Bucket::from_item(&item(json!({}))).unwrap();
        let subject = S3BucketPublicReadProhibited.subject(bucket, FACTS);
        let expected = "Public read through acl not read, policy not read; RestrictPublicBuckets=false";
        assert_eq!(verdict(&subject), Verdict::non_compliant(expected));
    }

    #[test]
    fn the_item_goes_before_facts_and_facts_fill_what_it_lacks() {
        let said = json!({"AccessControlList": {"grantList": []}, "BucketPolicy": {"policyText": null}});
        let open = granting(Grantee::AllUsers, Grants::Read);
        let read = || Facts { acl: open.acl.clone(), policy: allowing(allow(json!({}))).policy, ..FACTS };
        let made = |supplementary: &Value| {
            let bucket = Bucket::from_item(&item(supplementary.clone())).unwrap();
            S3BucketPublicReadProhibited.subject(bucket, read())
        };
        let (subject, silent) = (made(&said), made(&json!({})));
        assert_eq!(subject, Subject { bucket: subject.bucket.clone(), ..bare() });
        assert_eq!((silent.acl, silent.policy), (read().acl, read().policy));
        assert_eq!(StoredImage::of(&subject).unwrap().read::<Subject>(), Ok(subject));
    }

    #[test]
    fn authenticated_users_are_the_public_unless_a_parameter_says_otherwise() {
        let subject = granting(Grantee::AuthenticatedUsers, Grants::FullControl);
        let spared = Params { treat_authenticated_users_as_public: Flag(false), ..Params::default() };
        assert_eq!(verdict(&subject), Verdict::non_compliant("Public read through acl AuthenticatedUsers:FullControl"));
        assert_eq!(S3BucketPublicReadProhibited.evaluate(&subject, &spared, NOW), Verdict::COMPLIANT);
    }

    #[test]
    fn the_laws_of_remediation_hold() {
        laws::hold(&S3BucketPublicReadProhibited, laws::params());
    }
}
