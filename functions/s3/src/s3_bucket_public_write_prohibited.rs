//! Whether the public can write to a bucket. Knows nothing of reading.

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
    /// That nobody outside can put, change, tag or delete objects of a bucket, or change its settings.
    /// ACL, bucket policy, object ownership and the public access blocks of bucket and account are judged together, as `s3-bucket-public-read-prohibited` does for reading.
    /// A grant of `Write`, `WriteAcp` or `FullControl` to the public counts, and a public statement whose actions have the access level Write, Tagging or Permissions management.
    /// Reading alone is compliant here.
    /// `BlockPublicAcls` and `BlockPublicPolicy` leave existing grants in effect, so they do not make a bucket compliant.
    /// Periodic runs also judge access points and ask S3 for its own verdict on the policy, which has the last word.
    /// S3 does not say for what a policy is public: where no public statement explains it, what the Allow statements for everyone permit decides whether it is a finding here, in `s3-bucket-public-read-prohibited` or in both, and where they permit neither it is one in both.
    /// A change event judges without these two, so its verdict can differ from a periodic run's until the next one.
    /// A policy or ACL that cannot be decoded fails the invocation, as does a setting that may not be read: neither is taken for private.
    /// Access points of other accounts, ACLs of single objects and directory buckets are not looked at.
    ///
    /// ## Why it matters
    ///
    /// Anybody can then replace what others download, delete backups, fill the bucket at the owner's cost, or hand themselves the rest by changing ACL or policy.
    ///
    /// ## Compliant example
    ///
    /// ```json
    /// {"Sid": "Upload", "Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:${AWS::Partition}:s3:::inbox/*",
    ///  "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}}
    /// ```
    ///
    /// ## Non-compliant example
    ///
    /// An ACL that grants `Write` to `AllUsers` on a bucket with object ownership `ObjectWriter` and no block.
    /// Annotation: `Public write through acl AllUsers:Write`.
    ///
    /// ## Parameters
    ///
    /// `treatAuthenticatedUsersAsPublic` decides which ACL grants count, `checkAccessPoints` whether access points are asked for.
    /// `publicTag` changes no verdict: a bucket that carries it is planned for and left to a person.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` on the bucket, level L2: whoever relies on the access loses it, public readers through the same ACL or policy too.
    /// It adds to the flags already set the pair that the cause needs: `BlockPublicAcls` and `IgnorePublicAcls` for an ACL, `BlockPublicPolicy` and `RestrictPublicBuckets` for a policy.
    /// ACL and policy stay as they are.
    /// It is planned and never applied when the bucket carries `publicTag`, when an access point is a cause, when S3 calls the policy public and no statement explains it, when the policy also names other accounts or lets others in under a condition (`RestrictPublicBuckets` would cut them off), and when the ACL also serves AuthenticatedUsers who are not public by parameter.
    /// A website holds it back as well, unless an ACL is the only cause and lets nobody in public read.
    /// Between the last live read and the call lies a window of milliseconds, as the API knows no revisions: a change of the flags in it is overwritten.
    /// Undo puts the four flags back, or removes the block where there was none, and so opens the bucket again.
    /// IAM has no action of its own for removing a block: `s3:PutBucketPublicAccessBlock` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [Blocking public access to your Amazon S3 storage](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)
    /// - [Access control list overview](https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html)
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-public-write-prohibited.html)
    pub S3_BUCKET_PUBLIC_WRITE_PROHIBITED: S3BucketPublicWriteProhibited {
        id: "s3-bucket-public-write-prohibited",
        title: "S3 bucket can be written by the public",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: Bucket::TYPES,
        level: L2,
        frameworks: {
            Cis30: ["2.1.4"],
            Cis50: ["2.1.4"],
            Fsbp: ["S3.3"],
            Nist80053r5: ["AC-3", "AC-3(7)", "AC-4", "AC-6", "AC-21", "SC-7"],
            Pci40: ["1.2.8", "1.3.1", "1.4.2", "10.3.2", "10.3.3", "10.3.4"],
        },
    }
}

impl Control for S3BucketPublicWriteProhibited {
    type Params = Params;
    type Subject = Subject;

    fn evaluate(&self, subject: &Subject, params: &Params, _now: Timestamp) -> Verdict {
        public_access::evaluate(subject, params, Access::Write)
    }
}

impl FromItem for S3BucketPublicWriteProhibited {
    type Resource = Bucket;
    type Facts = Facts;
    fn fact_permissions(&self) -> &'static [Permission] {
        public_access::FACTS
    }

    fn subject(&self, bucket: Bucket, facts: Facts) -> Subject {
        public_access::subject(bucket, facts)
    }
}

impl Inventory for S3BucketPublicWriteProhibited {
    fn list_permissions(&self) -> &'static [Permission] {
        public_access::LISTING
    }
}

impl Remediation for S3BucketPublicWriteProhibited {
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
        public_access::plan(live, params, Access::Write)
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
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::S3BucketPublicReadProhibited;
    use crate::access::{AccessPoint, Flags, Grantee, NetworkOrigin, Permission as Grants};
    use crate::public_access::laws;
    use crate::testing::{NOW, allow, allowing, bare, granting, open_access_point};
    use serde_json::json;

    const OPEN: &str = "Public write through policy:Open; RestrictPublicBuckets=false";

    fn verdict(subject: &Subject) -> Verdict {
        S3BucketPublicWriteProhibited.evaluate(subject, &Params::default(), NOW)
    }

    fn doing(action: &str) -> Subject {
        allowing(allow(json!({"Action": action})))
    }

    #[test]
    fn the_cases_of_the_control_have_their_verdicts_here_and_in_the_read_control() {
        let open = || Verdict::non_compliant(OPEN);
        let key = json!({"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id":
            "arn:aws:kms:eu-west-1:111122223333:key/0a1b"}});
        let encrypted = allowing(allow(json!({"Action": "s3:PutObject", "Condition": key})));
        let signed_in = json!({"Action": "s3:PutObject", "Principal": {"Federated": "graph.facebook.com"}});
        let denied = json!([allow(json!({"Action": "s3:*"})), allow(json!({"Effect": "Deny", "Action": "s3:*"}))]);
        let by_acl = |grant: &str| Verdict::non_compliant(format!("Public write through acl AllUsers:{grant}"));
        let write_acp = granting(Grantee::AllUsers, Grants::WriteAcp);
        let rows = [
            ("s3-bucket-public-write-prohibited/1", doing("s3:Get*"), Verdict::COMPLIANT, "NON_COMPLIANT"),
            ("s3-bucket-public-write-prohibited/2", doing("s3:PutObject"), open(), "COMPLIANT"),
            ("s3-bucket-public-write-prohibited/3", write_acp, by_acl("WriteAcp"), "NON_COMPLIANT"),
            ("s3-bucket-public-write-prohibited/4", doing("s3:*"), open(), "NON_COMPLIANT"),
            (
                "s3-bucket-public-write-prohibited/5",
                allowing(allow(json!({"NotAction": "s3:GetObject"}))),
                open(),
                "NON_COMPLIANT",
            ),
            ("s3-bucket-public-write-prohibited/6", encrypted, Verdict::COMPLIANT, "COMPLIANT"),
            ("s3-bucket-public-write-prohibited/7", allowing(allow(signed_in)), open(), "COMPLIANT"),
            ("s3-bucket-public-write-prohibited/8", allowing(denied), Verdict::COMPLIANT, "COMPLIANT"),
            ("write alone", granting(Grantee::AllUsers, Grants::Write), by_acl("Write"), "COMPLIANT"),
            ("read alone", granting(Grantee::AllUsers, Grants::Read), Verdict::COMPLIANT, "NON_COMPLIANT"),
            ("log delivery", granting(Grantee::LogDelivery, Grants::Write), Verdict::COMPLIANT, "COMPLIANT"),
            ("an account", granting(Grantee::Account("79a5".into()), Grants::Write), Verdict::COMPLIANT, "COMPLIANT"),
        ];
        for (case, subject, expected, reading) in rows {
            assert_eq!(verdict(&subject), expected, "{case}");
            let read = S3BucketPublicReadProhibited.evaluate(&subject, &Params::default(), NOW);
            assert_eq!(read.compliance_type(), reading, "{case} in the read control");
        }
    }

    #[test]
    fn what_s3_calls_public_is_booked_by_what_everyone_is_allowed() {
        let from_home = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
        let narrowed = |action: Value| allow(json!({"Action": action, "Condition": from_home}));
        let partner = json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:PutObject"});
        let denied = json!([allow(json!({"Action": "s3:Put*"})), allow(json!({"Effect": "Deny", "Action": "s3:*"}))]);
        let elsewhere = allow(json!({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::other/*"}));
        let by = |class: &str, through: &str| {
            Verdict::non_compliant(format!("Public {class} through {through}; RestrictPublicBuckets=false"))
        };
        let unexplained = "policy; S3 reports the policy public; statement not identified";
        for (case, statements, reads, writes) in [
            ("s3-bucket-public-write-prohibited/9", narrowed(json!("s3:PutObject")), false, true),
            ("reading", narrowed(json!("s3:GetObject")), true, false),
            ("both in one", narrowed(json!(["s3:GetObject", "s3:DeleteObject"])), true, true),
            ("both in two", json!([narrowed(json!("s3:List*")), narrowed(json!("s3:PutBucketAcl"))]), true, true),
            ("every action but one class", allow(json!({"NotAction": "s3:Put*", "Condition": from_home})), true, true),
            ("taken back", denied, false, true),
            ("a partner beside it", json!([narrowed(json!("s3:GetObject")), allow(partner.clone())]), true, false),
            ("s3-bucket-public-write-prohibited/10", json!([]), true, true),
            ("named principals only", allow(partner), true, true),
            ("actions of another service", narrowed(json!("sqs:*")), true, true),
            ("another bucket", elsewhere, true, true),
        ] {
            let subject = Subject { policy_is_public: Some(true), ..allowing(statements.clone()) };
            let read = S3BucketPublicReadProhibited.evaluate(&subject, &Params::default(), NOW);
            let expected = |public, class| if public { by(class, unexplained) } else { Verdict::COMPLIANT };
            assert_eq!((read, verdict(&subject)), (expected(reads, "read"), expected(writes, "write")), "{case}");
            let held = S3BucketPublicWriteProhibited.plan(&subject, &Params::default(), NOW);
            assert_eq!(matches!(held, Plan::Hold { .. }), writes, "{case}: {held:?}");
            let restricted = Subject { block: Some(Flags::POLICY_PAIR), ..subject };
            assert_eq!(verdict(&restricted), Verdict::COMPLIANT, "{case}");

            let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/app";
            let of_point = statements.to_string().replace("arn:aws:s3:::pics", arn);
            let policy = crate::testing::policy(serde_json::from_str(&of_point).unwrap());
            let point = AccessPoint { policy, ..open_access_point("app", "s3:GetObject") };
            let subject = Subject { access_points: vec![point], ..bare() };
            let read = S3BucketPublicReadProhibited.evaluate(&subject, &Params::default(), NOW);
            let expected = |public, class| if public { by(class, "accesspoint:app") } else { Verdict::COMPLIANT };
            let case = format!("{case}, as policy of an access point");
            assert_eq!((read, verdict(&subject)), (expected(reads, "read"), expected(writes, "write")), "{case}");
        }
    }

    #[test]
    fn offenders_are_sorted_and_bounded() {
        let statements = ["D", "B", "A", "C"].map(|sid| allow(json!({"Sid": sid, "Action": "s3:Put*"})));
        let expected = "Public write through policy:A, policy:B, policy:C +1 more; RestrictPublicBuckets=false";
        assert_eq!(verdict(&allowing(json!(statements))), Verdict::non_compliant(expected));
    }

    #[test]
    fn an_access_point_is_open_unless_vpc_block_or_s3_say_otherwise() {
        let open = || open_access_point("app", "s3:PutObject");
        let mut in_bucket_terms = open();
        let condition = json!({"StringLike": {"s3:DataAccessPointArn": in_bucket_terms.arn}});
        let resource = json!(format!("{}/object/*", in_bucket_terms.arn));
        let narrowed = json!({"Action": "s3:PutObject", "Resource": resource, "Condition": condition});
        in_bucket_terms.policy = allowing(allow(narrowed)).policy.unwrap();
        for (access_point, public) in [
            (open(), true),
            (in_bucket_terms, true),
            (AccessPoint { network_origin: NetworkOrigin::Vpc, ..open() }, false),
            (AccessPoint { block: Flags::POLICY_PAIR, ..open() }, false),
            (AccessPoint { policy_is_public: false, ..open() }, false),
            (open_access_point("app", "s3:GetObject"), false),
        ] {
            let subject = Subject { access_points: vec![access_point], ..bare() };
            assert_eq!(verdict(&subject).is_non_compliant(), public, "{subject:?}");
            let closed = Subject { block: Some(Flags::POLICY_PAIR), ..subject };
            assert_eq!(verdict(&closed), Verdict::COMPLIANT);
        }
    }

    #[test]
    fn the_laws_of_remediation_hold() {
        laws::hold(&S3BucketPublicWriteProhibited, laws::params());
    }
}
