//! Whether the public can read a bucket. Ignores write access, except permissions that let a writer grant itself read
//! access.

use rectify_compliance::control;

use crate::families::access::Access;
use crate::families::public_access::PublicAccess;
use crate::resources::bucket::TYPES;

control! {
    /// ## What it checks
    ///
    /// That the public cannot list a bucket or read its objects or settings.
    /// ACL, bucket policy, object ownership and the public access blocks of bucket and account are evaluated together.
    /// A public grant counts only if it is in effect: `IgnorePublicAcls` and the ownership `BucketOwnerEnforced` disable ACLs, `RestrictPublicBuckets` disables a public policy.
    /// `BlockPublicAcls` and `BlockPublicPolicy` reject new grants and leave existing ones in effect, so they do not make a bucket compliant.
    /// A policy statement is public when it allows a wildcard, `NotPrincipal` or an open identity provider, and no condition narrows it to fixed values as S3 defines them.
    /// `WriteAcp` and `FullControl` count as read access, since their holder can grant itself the rest.
    /// Periodic runs also evaluate access points and read the policy status of S3, which takes precedence over the statements.
    /// The status does not say which access is public: where no public statement explains it, the actions that the Allow statements for everyone permit decide whether it is a finding here, in `s3-bucket-public-write-prohibited` or in both, and where they permit neither it is a finding in both.
    /// A change event is evaluated without access points and policy status, so its verdict can differ from that of the next periodic run.
    /// A policy or ACL that cannot be decoded fails the invocation, as does a denied read of a setting: neither counts as private.
    /// Access points of other accounts, object ACLs and directory buckets are not evaluated.
    ///
    /// ## Why it matters
    ///
    /// Scanners copy the objects within hours of a bucket becoming readable, and copies cannot be recalled.
    ///
    /// ## Compliant example
    ///
    /// A bucket whose ACL grants `AllUsers` read access while the account-level block sets `IgnorePublicAcls`.
    /// The annotation then is "protected by account-level block".
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
    /// `treatAuthenticatedUsersAsPublic` decides which ACL grants count, `checkAccessPoints` whether access points are evaluated.
    /// `publicTag` changes no verdict: for a bucket with this tag the remediation only plans.
    ///
    /// ## Remediation
    ///
    /// One `PutPublicAccessBlock` on the bucket, level L2: clients that rely on the access lose it.
    /// It adds to the flags already set the pair that the cause requires: `BlockPublicAcls` and `IgnorePublicAcls` for an ACL, `BlockPublicPolicy` and `RestrictPublicBuckets` for a policy.
    /// ACL and policy stay unchanged.
    /// It is planned and never applied when the bucket serves a website, when it has the tag `publicTag`, when an access point is a cause, when S3 reports the policy as public and no statement explains it, when the policy also names other accounts or allows other principals under a condition (`RestrictPublicBuckets` would cut them off), and when the ACL also grants access to AuthenticatedUsers, which the parameters do not treat as public.
    /// The API has no conditional write, so milliseconds pass between the last live read and the call: a change to the flags in between is overwritten.
    /// Undo restores the four flags, or removes the block where there was none, and so opens the bucket to the public again.
    /// IAM has no separate action for removing a block: `s3:PutBucketPublicAccessBlock` allows both, so the remediation's role could also undo.
    ///
    /// ## References
    ///
    /// - [Blocking public access to your Amazon S3 storage](https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html)
    /// - [Controlling ownership of objects and disabling ACLs](https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html)
    /// - [AWS managed rule of the same name](https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-public-read-prohibited.html)
    pub S3_BUCKET_PUBLIC_READ_PROHIBITED: PublicAccess = READ {
        id: "s3-bucket-public-read-prohibited",
        title: "S3 bucket content can be read by the public",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: TYPES,
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

pub(crate) const READ: PublicAccess = PublicAccess { access: Access::Read };

#[cfg(test)]
mod tests {
    use rectify_compliance::item::ApiItem;
    use rectify_compliance::{ConfigurationItem, FromItem, Resource, StoredState, Verdict};
    use rectify_testing::{Case, Cases, NOW};
    use serde_json::{Value, json};

    use super::*;
    use crate::families::access::{Flags, Grantee, Ownership, Permission as Grants};
    use crate::families::public_access::{Facts, Subject, laws};
    use crate::resources::bucket::Bucket;
    use crate::testing::{allow, allowing, bare, granting, item, notification, open_access_point};

    const BY_ACL: &str = "Public read through acl AllUsers:Read";
    const OPEN: &str = "Public read through policy:Open; RestrictPublicBuckets=false";
    const FACTS: Facts =
        Facts { account_block: Flags::NONE, ownership: Ownership::ObjectWriter, acl: None, policy: None };

    fn case(name: &str, subject: Subject) -> Case<'_, PublicAccess> {
        Cases::of(&READ, subject).case(name, |_| ())
    }

    #[test]
    fn cases() {
        let everyone_reads = || granting(Grantee::AllUsers, Grants::Read);
        let policy = || allowing(allow(json!({})));
        let under =
            |operator: &str, key: &str, value: &str| allowing(allow(json!({"Condition": {operator: {key: value}}})));
        let by_source = |range| under("IpAddress", "aws:SourceIp", range);
        let protected = Verdict::Compliant(Some("protected by account-level block".into()));
        let ignoring = Flags { ignore_public_acls: true, ..Flags::NONE };
        let blocking = Flags { block_public_acls: true, ..Flags::NONE };
        let both = json!({"Principal": {"AWS": ["*", "arn:aws:iam::111122223333:root"]}});
        let all_but = json!({"NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}});
        let through_point = Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
        let in_account = |account_block, subject| Subject { account_block, ..subject };

        case("s3-bucket-public-read-prohibited/1", in_account(Flags::ALL, everyone_reads())).is(&protected);
        case("s3-bucket-public-read-prohibited/2", in_account(ignoring, policy())).non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/3", Subject { block: Some(blocking), ..everyone_reads() })
            .non_compliant(BY_ACL);
        case("s3-bucket-public-read-prohibited/4", under("StringEquals", "aws:SourceVpce", "vpce-1")).compliant();
        case("s3-bucket-public-read-prohibited/5", by_source("0.0.0.0/1")).non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/5", by_source("203.0.113.0/24")).compliant();
        case("s3-bucket-public-read-prohibited/5", by_source("10.0.0.0/8")).compliant();
        case("s3-bucket-public-read-prohibited/6", under("StringLike", "aws:PrincipalOrgID", "o-*"))
            .non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/6", under("StringEquals", "aws:PrincipalOrgID", "o-abc")).compliant();
        case("s3-bucket-public-read-prohibited/7", under("StringEqualsIfExists", "aws:SourceVpc", "vpc-1"))
            .non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/8", allowing(allow(both))).non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/8", allowing(allow(all_but))).non_compliant(OPEN);
        case("s3-bucket-public-read-prohibited/11", through_point)
            .non_compliant("Public read through accesspoint:app; RestrictPublicBuckets=false");
        case("s3-bucket-public-read-prohibited/13", in_account(Flags::ALL, policy())).is(&protected);
        case("s3-bucket-public-read-prohibited/13", policy()).non_compliant(OPEN);
    }

    #[test]
    fn enforced_ownership_disables_the_acl_and_both_forms_of_an_item_are_equivalent() {
        let acl = json!({"grantList": [{"grantee": "AllUsers", "permission": "Read"}]}).to_string();
        let supplementary = json!({"AccessControlList": acl, "BucketPolicy": {"policyText": null}});
        let subject = |item: &ConfigurationItem, ownership| {
            READ.subject(Bucket::from_item(item).unwrap(), Facts { ownership, ..FACTS })
        };
        let notified = item(supplementary.clone());
        let stale = "s3-bucket-public-read-prohibited/9: stale ACL under BucketOwnerEnforced";
        case(stale, subject(&notified, Ownership::BucketOwnerEnforced)).compliant();

        let text = |key: &str| Some(notification(json!({}))[key].as_str().unwrap().to_owned());
        let from_api = ConfigurationItem::from_api(ApiItem {
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
        let twice = "s3-bucket-public-read-prohibited/12: ACL encoded twice in the API's form";
        case(twice, subject(&from_api, Ownership::ObjectWriter)).non_compliant(BY_ACL);
        case(twice, subject(&notified, Ownership::ObjectWriter)).non_compliant(BY_ACL);
    }

    #[test]
    fn the_policy_status_of_s3_takes_precedence() {
        let status = |public, changes| Subject { policy_is_public: Some(public), ..allowing(allow(changes)) };
        case("not public", status(false, json!({}))).compliant();
        case("public", status(true, json!({}))).non_compliant(OPEN);
        case("public for writers", status(true, json!({"Action": "s3:PutObject"}))).compliant();
    }

    #[test]
    fn settings_missing_from_item_and_facts_are_treated_as_public() {
        let subject = READ.subject(Bucket::from_item(&item(json!({}))).unwrap(), FACTS);
        case("nothing read", subject)
            .non_compliant("Public read through acl not read, policy not read; RestrictPublicBuckets=false");
    }

    #[test]
    fn the_item_takes_precedence_and_facts_fill_its_gaps() {
        let recorded = json!({"AccessControlList": {"grantList": []}, "BucketPolicy": {"policyText": null}});
        let open = granting(Grantee::AllUsers, Grants::Read);
        let read = || Facts { acl: open.acl.clone(), policy: allowing(allow(json!({}))).policy, ..FACTS };
        let subject_of = |supplementary: Value| READ.subject(Bucket::from_item(&item(supplementary)).unwrap(), read());
        let (subject, incomplete) = (subject_of(recorded), subject_of(json!({})));
        assert_eq!(subject, Subject { bucket: subject.bucket.clone(), ..bare() });
        assert_eq!((incomplete.acl, incomplete.policy), (read().acl, read().policy));
        assert_eq!(StoredState::of(&subject).unwrap().read::<Subject>(), Ok(subject));
    }

    #[test]
    fn authenticated_users_are_public_unless_a_parameter_excludes_them() {
        let signed_in = || granting(Grantee::AuthenticatedUsers, Grants::FullControl);
        case("by default", signed_in()).non_compliant("Public read through acl AuthenticatedUsers:FullControl");
        case("excluded", signed_in()).with(r#"{"treatAuthenticatedUsersAsPublic": false}"#).compliant();
    }

    #[test]
    fn laws() {
        laws::hold(&READ, laws::params());
    }
}
