//! Whether the public can write to a bucket. Ignores read access.

use rectify_compliance::control;

use crate::families::access::Access;
use crate::families::public_access::PublicAccess;
use crate::resources::bucket::TYPES;

control! {
    /// ## What it checks
    ///
    /// That the public cannot put, change, tag or delete objects of a bucket, or change its settings.
    /// ACL, bucket policy, object ownership and the public access blocks of bucket and account are evaluated together, as `s3-bucket-public-read-prohibited` does for read access.
    /// A grant of `Write`, `WriteAcp` or `FullControl` to the public counts, and so does a public statement whose actions have the access level Write, Tagging or Permissions management.
    /// Read access alone is compliant here.
    /// `BlockPublicAcls` and `BlockPublicPolicy` leave existing grants in effect, so they do not make a bucket compliant.
    /// Periodic runs also evaluate access points and read the policy status of S3, which takes precedence over the statements.
    /// The status does not say which access is public: where no public statement explains it, the actions that the Allow statements for everyone permit decide whether it is a finding here, in `s3-bucket-public-read-prohibited` or in both, and where they permit neither it is a finding in both.
    /// A change event is evaluated without access points and policy status, so its verdict can differ from that of the next periodic run.
    /// A policy or ACL that cannot be decoded fails the invocation, as does a denied read of a setting: neither counts as private.
    /// Access points of other accounts, object ACLs and directory buckets are not evaluated.
    ///
    /// ## Why it matters
    ///
    /// Anyone can then replace objects that others download, delete backups, fill the bucket at the owner's cost, or gain further access by changing ACL or policy.
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
    /// `treatAuthenticatedUsersAsPublic` decides which ACL grants count, `checkAccessPoints` whether access points are evaluated.
    /// `publicTag` changes no verdict: for a bucket with this tag the remediation only plans.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` on the bucket, level L2: clients that rely on the access lose it, and so do public readers through the same ACL or policy.
    /// It adds to the flags already set the pair that the cause requires: `BlockPublicAcls` and `IgnorePublicAcls` for an ACL, `BlockPublicPolicy` and `RestrictPublicBuckets` for a policy.
    /// ACL and policy stay unchanged.
    /// It is planned and never applied when the bucket has the tag `publicTag`, when an access point is a cause, when S3 reports the policy as public and no statement explains it, when the policy also names other accounts or allows other principals under a condition (`RestrictPublicBuckets` would cut them off), and when the ACL also grants access to AuthenticatedUsers, which the parameters do not treat as public.
    /// A website blocks the plan as well, unless an ACL is the only cause and grants no public read access.
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

    /// Checks the finding of this control and the compliance type of the read control.
    fn case(name: &str, subject: Subject, finding: Option<&str>, read_compliance: &str) {
        let read = READ.evaluate(&subject, &Params::default(), NOW);
        assert_eq!(read.compliance_type(), read_compliance, "{name} in the read control");
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
        let (non_compliant, compliant) = ("NON_COMPLIANT", "COMPLIANT");
        case("s3-bucket-public-write-prohibited/1", doing("s3:Get*"), None, non_compliant);
        case("s3-bucket-public-write-prohibited/2", doing("s3:PutObject"), Some(OPEN), compliant);
        let write_acp = granting(Grantee::AllUsers, Grants::WriteAcp);
        case("s3-bucket-public-write-prohibited/3", write_acp, Some(&by_acp), non_compliant);
        case("s3-bucket-public-write-prohibited/4", doing("s3:*"), Some(OPEN), non_compliant);
        case("s3-bucket-public-write-prohibited/5", all_but, Some(OPEN), non_compliant);
        case("s3-bucket-public-write-prohibited/6", encrypted, None, compliant);
        case("s3-bucket-public-write-prohibited/7", allowing(allow(signed_in)), Some(OPEN), compliant);
        case("s3-bucket-public-write-prohibited/8", allowing(denied), None, compliant);
        case("write alone", granting(Grantee::AllUsers, Grants::Write), Some(&by_write), compliant);
        case("read alone", granting(Grantee::AllUsers, Grants::Read), None, non_compliant);
        case("log delivery", granting(Grantee::LogDelivery, Grants::Write), None, compliant);
        case("an account", granting(account, Grants::Write), None, compliant);
    }

    #[test]
    fn an_unexplained_public_policy_is_classified_by_the_actions_allowed_for_everyone() {
        let own_account = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
        let narrowed = |action: Value| allow(json!({"Action": action, "Condition": own_account}));
        let partner = json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:PutObject"});
        let denied = json!([allow(json!({"Action": "s3:Put*"})), allow(json!({"Effect": "Deny", "Action": "s3:*"}))]);
        let other_bucket = allow(json!({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::other/*"}));
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
            (
                "every action but one class",
                allow(json!({"NotAction": "s3:Put*", "Condition": own_account})),
                true,
                true,
            ),
            ("denied again", denied, false, true),
            (
                "with a statement for a partner",
                json!([narrowed(json!("s3:GetObject")), allow(partner.clone())]),
                true,
                false,
            ),
            ("s3-bucket-public-write-prohibited/10", json!([]), true, true),
            ("named principals only", allow(partner), true, true),
            ("actions of another service", narrowed(json!("sqs:*")), true, true),
            ("another bucket", other_bucket, true, true),
        ] {
            let subject = Subject { policy_is_public: Some(true), ..allowing(statements.clone()) };
            let unexplained = "policy; S3 reports the policy public; statement not identified";
            through(name, &subject, unexplained, reads, writes);
            let plan = WRITE.plan(&subject, &Params::default(), NOW);
            assert_eq!(matches!(plan, Plan::Blocked { .. }), writes, "{name}: {plan:?}");
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
    fn an_access_point_is_public_unless_vpc_block_or_policy_status_prevent_it() {
        let open = || open_access_point("app", "s3:PutObject");
        let finding = Some("Public write through accesspoint:app; RestrictPublicBuckets=false");
        let mut with_bucket_key = open();
        let condition = json!({"StringLike": {"s3:DataAccessPointArn": with_bucket_key.arn}});
        let resource = json!(format!("{}/object/*", with_bucket_key.arn));
        let narrowed = json!({"Action": "s3:PutObject", "Resource": resource, "Condition": condition});
        with_bucket_key.policy = allowing(allow(narrowed)).policy.unwrap();
        for (name, access_point, finding, read_compliance) in [
            ("open", open(), finding, "COMPLIANT"),
            ("by a key of bucket policies", with_bucket_key, finding, "COMPLIANT"),
            ("in a VPC", AccessPoint { network_origin: NetworkOrigin::Vpc, ..open() }, None, "COMPLIANT"),
            ("blocked", AccessPoint { block: Flags::POLICY_PAIR, ..open() }, None, "COMPLIANT"),
            ("not public", AccessPoint { policy_is_public: false, ..open() }, None, "COMPLIANT"),
            ("open to readers", open_access_point("app", "s3:GetObject"), None, "NON_COMPLIANT"),
        ] {
            let subject = Subject { access_points: vec![access_point], ..bare() };
            case(name, Subject { block: Some(Flags::POLICY_PAIR), ..subject.clone() }, None, "COMPLIANT");
            case(name, subject, finding, read_compliance);
        }
    }

    #[test]
    fn laws() {
        laws::hold(&WRITE, laws::params());
    }
}
