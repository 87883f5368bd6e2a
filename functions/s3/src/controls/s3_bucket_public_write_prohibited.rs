//! Whether the public can write to a bucket. Knows nothing of reading.

use rectify_compliance::control;

use crate::families::access::Access;
use crate::families::public_access::PublicAccess;
use crate::resources::bucket::TYPES;

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
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the flags in between is overwritten.
    /// Undo restores the four flags, or removes the block where there was none, and so opens the bucket to the public again.
    /// IAM has no separate action for removing a block: `s3:PutBucketPublicAccessBlock` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [Blocking public access to your Amazon S3 storage](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)
    /// - [Access control list overview](https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html)
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-public-write-prohibited.html)
    pub S3_BUCKET_PUBLIC_WRITE_PROHIBITED: PublicAccess = WRITE {
        id: "s3-bucket-public-write-prohibited",
        title: "S3 bucket can be written by the public",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: TYPES,
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

pub(crate) const WRITE: PublicAccess = PublicAccess { access: Access::Write };

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rectify_compliance::{Control, Plan, Remediation, Verdict};
    use rectify_testing::{Cases, NOW};
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::s3_bucket_public_read_prohibited::READ;
    use crate::families::access::{AccessPoint, Flags, Grantee, NetworkOrigin, Permission as Grants};
    use crate::families::public_access::{Params, Subject, laws};
    use crate::testing::{allow, allowing, bare, granting, open_access_point, policy};

    const OPEN: &str = "Public write through policy:Open; RestrictPublicBuckets=false";

    /// The bucket is judged so here, and this the compliance type of the read control.
    fn case(name: &str, subject: Subject, finding: Option<&str>, reading: &str) {
        let read = READ.evaluate(&subject, &Params::default(), NOW);
        assert_eq!(read.compliance_type(), reading, "{name} in the read control");
        let case = Cases::of(&WRITE, subject).case(name, |_| ());
        match finding {
            Some(finding) => drop(case.non_compliant(finding)),
            None => case.compliant(),
        }
    }

    #[test]
    fn cases() {
        let doing = |action: &str| allowing(allow(json!({"Action": action})));
        let key = json!({"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id":
            "arn:aws:kms:eu-west-1:111122223333:key/0a1b"}});
        let encrypted = allowing(allow(json!({"Action": "s3:PutObject", "Condition": key})));
        let signed_in = json!({"Action": "s3:PutObject", "Principal": {"Federated": "graph.facebook.com"}});
        let denied = json!([allow(json!({"Action": "s3:*"})), allow(json!({"Effect": "Deny", "Action": "s3:*"}))]);
        let all_but = allowing(allow(json!({"NotAction": "s3:GetObject"})));
        let account = Grantee::Account("79a5".into());
        let [by_write, by_acp] = ["Write", "WriteAcp"].map(|it| format!("Public write through acl AllUsers:{it}"));
        let (found, right) = ("NON_COMPLIANT", "COMPLIANT");
        case("s3-bucket-public-write-prohibited/1", doing("s3:Get*"), None, found);
        case("s3-bucket-public-write-prohibited/2", doing("s3:PutObject"), Some(OPEN), right);
        let write_acp = granting(Grantee::AllUsers, Grants::WriteAcp);
        case("s3-bucket-public-write-prohibited/3", write_acp, Some(&by_acp), found);
        case("s3-bucket-public-write-prohibited/4", doing("s3:*"), Some(OPEN), found);
        case("s3-bucket-public-write-prohibited/5", all_but, Some(OPEN), found);
        case("s3-bucket-public-write-prohibited/6", encrypted, None, right);
        case("s3-bucket-public-write-prohibited/7", allowing(allow(signed_in)), Some(OPEN), right);
        case("s3-bucket-public-write-prohibited/8", allowing(denied), None, right);
        case("write alone", granting(Grantee::AllUsers, Grants::Write), Some(&by_write), right);
        case("read alone", granting(Grantee::AllUsers, Grants::Read), None, found);
        case("log delivery", granting(Grantee::LogDelivery, Grants::Write), None, right);
        case("an account", granting(account, Grants::Write), None, right);
    }

    #[test]
    fn what_s3_calls_public_is_booked_by_what_everyone_is_allowed() {
        let from_home = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
        let narrowed = |action: Value| allow(json!({"Action": action, "Condition": from_home}));
        let partner = json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:PutObject"});
        let denied = json!([allow(json!({"Action": "s3:Put*"})), allow(json!({"Effect": "Deny", "Action": "s3:*"}))]);
        let elsewhere = allow(json!({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::other/*"}));
        let through = |name: &str, subject: &Subject, cause: &str, reads: bool, writes: bool| {
            let expected = |public: bool, class| match public {
                true => Verdict::non_compliant(format!("Public {class} through {cause}; RestrictPublicBuckets=false")),
                false => Verdict::COMPLIANT,
            };
            Cases::of(&READ, subject.clone()).case(name, |_| ()).is(&expected(reads, "read"));
            Cases::of(&WRITE, subject.clone()).case(name, |_| ()).is(&expected(writes, "write"));
        };
        for (name, statements, reads, writes) in [
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
            let unexplained = "policy; S3 reports the policy public; statement not identified";
            through(name, &subject, unexplained, reads, writes);
            let held = WRITE.plan(&subject, &Params::default(), NOW);
            assert_eq!(matches!(held, Plan::Blocked { .. }), writes, "{name}: {held:?}");
            through(name, &Subject { block: Some(Flags::POLICY_PAIR), ..subject }, unexplained, false, false);

            let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/app";
            let of_point = statements.to_string().replace("arn:aws:s3:::pics", arn);
            let policy = policy(serde_json::from_str(&of_point).unwrap());
            let point = AccessPoint { policy, ..open_access_point("app", "s3:GetObject") };
            let subject = Subject { access_points: vec![point], ..bare() };
            through(&format!("{name}, as policy of an access point"), &subject, "accesspoint:app", reads, writes);
        }
    }

    #[test]
    fn offenders_are_sorted_and_bounded() {
        let statements = ["D", "B", "A", "C"].map(|sid| allow(json!({"Sid": sid, "Action": "s3:Put*"})));
        let expected = "Public write through policy:A, policy:B, policy:C +1 more; RestrictPublicBuckets=false";
        case("four statements", allowing(json!(statements)), Some(expected), "COMPLIANT");
    }

    #[test]
    fn an_access_point_is_open_unless_vpc_block_or_s3_say_otherwise() {
        let open = || open_access_point("app", "s3:PutObject");
        let finding = Some("Public write through accesspoint:app; RestrictPublicBuckets=false");
        let mut in_bucket_terms = open();
        let condition = json!({"StringLike": {"s3:DataAccessPointArn": in_bucket_terms.arn}});
        let resource = json!(format!("{}/object/*", in_bucket_terms.arn));
        let narrowed = json!({"Action": "s3:PutObject", "Resource": resource, "Condition": condition});
        in_bucket_terms.policy = allowing(allow(narrowed)).policy.unwrap();
        for (name, access_point, finding, reading) in [
            ("open", open(), finding, "COMPLIANT"),
            ("by the terms of the bucket", in_bucket_terms, finding, "COMPLIANT"),
            ("in a VPC", AccessPoint { network_origin: NetworkOrigin::Vpc, ..open() }, None, "COMPLIANT"),
            ("blocked", AccessPoint { block: Flags::POLICY_PAIR, ..open() }, None, "COMPLIANT"),
            ("not public", AccessPoint { policy_is_public: false, ..open() }, None, "COMPLIANT"),
            ("open to readers", open_access_point("app", "s3:GetObject"), None, "NON_COMPLIANT"),
        ] {
            let subject = Subject { access_points: vec![access_point], ..bare() };
            case(name, Subject { block: Some(Flags::POLICY_PAIR), ..subject.clone() }, None, "COMPLIANT");
            case(name, subject, finding, reading);
        }
    }

    #[test]
    fn laws() {
        laws::hold(&WRITE, laws::params());
    }
}
