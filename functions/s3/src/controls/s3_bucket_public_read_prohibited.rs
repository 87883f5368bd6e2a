//! Whether the public can read a bucket. Knows nothing of writing but what lets a writer help itself to reading.

use rectify_compliance::control;

use crate::families::access::Access;
use crate::families::public_access::PublicAccess;
use crate::resources::bucket::TYPES;

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
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
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
        let guarded = Verdict::Compliant(Some("protected by account-level block".into()));
        let ignoring = Flags { ignore_public_acls: true, ..Flags::NONE };
        let blocking = Flags { block_public_acls: true, ..Flags::NONE };
        let both = json!({"Principal": {"AWS": ["*", "arn:aws:iam::111122223333:root"]}});
        let all_but = json!({"NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}});
        let through_point = Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
        let in_account = |account_block, subject| Subject { account_block, ..subject };

        case("s3-bucket-public-read-prohibited/1", in_account(Flags::ALL, everyone_reads())).is(&guarded);
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
        case("s3-bucket-public-read-prohibited/13", in_account(Flags::ALL, policy())).is(&guarded);
        case("s3-bucket-public-read-prohibited/13", policy()).non_compliant(OPEN);
    }

    #[test]
    fn an_acl_has_no_effect_where_ownership_is_enforced_and_both_shapes_of_the_item_say_the_same() {
        let acl = json!({"grantList": [{"grantee": "AllUsers", "permission": "Read"}]}).to_string();
        let supplementary = json!({"AccessControlList": acl, "BucketPolicy": {"policyText": null}});
        let made = |item: &ConfigurationItem, ownership| {
            READ.subject(Bucket::from_item(item).unwrap(), Facts { ownership, ..FACTS })
        };
        let noticed = item(supplementary.clone());
        let stale = "s3-bucket-public-read-prohibited/9: stale ACL under BucketOwnerEnforced";
        case(stale, made(&noticed, Ownership::BucketOwnerEnforced)).compliant();

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
        let twice = "s3-bucket-public-read-prohibited/12: ACL encoded twice in the API's shape";
        case(twice, made(&answered, Ownership::ObjectWriter)).non_compliant(BY_ACL);
        case(twice, made(&noticed, Ownership::ObjectWriter)).non_compliant(BY_ACL);
    }

    #[test]
    fn s3_has_the_last_word_on_the_policy() {
        let status = |public, changes| Subject { policy_is_public: Some(public), ..allowing(allow(changes)) };
        case("not public", status(false, json!({}))).compliant();
        case("public", status(true, json!({}))).non_compliant(OPEN);
        case("public for writers", status(true, json!({"Action": "s3:PutObject"}))).compliant();
    }

    #[test]
    fn what_neither_item_nor_facts_held_is_judged_as_open() {
        let subject = READ.subject(Bucket::from_item(&item(json!({}))).unwrap(), FACTS);
        case("nothing read", subject)
            .non_compliant("Public read through acl not read, policy not read; RestrictPublicBuckets=false");
    }

    #[test]
    fn the_item_goes_before_facts_and_facts_fill_what_it_lacks() {
        let said = json!({"AccessControlList": {"grantList": []}, "BucketPolicy": {"policyText": null}});
        let open = granting(Grantee::AllUsers, Grants::Read);
        let read = || Facts { acl: open.acl.clone(), policy: allowing(allow(json!({}))).policy, ..FACTS };
        let made = |supplementary: Value| READ.subject(Bucket::from_item(&item(supplementary)).unwrap(), read());
        let (subject, silent) = (made(said), made(json!({})));
        assert_eq!(subject, Subject { bucket: subject.bucket.clone(), ..bare() });
        assert_eq!((silent.acl, silent.policy), (read().acl, read().policy));
        assert_eq!(StoredState::of(&subject).unwrap().read::<Subject>(), Ok(subject));
    }

    #[test]
    fn authenticated_users_are_the_public_unless_a_parameter_says_otherwise() {
        let signed_in = || granting(Grantee::AuthenticatedUsers, Grants::FullControl);
        case("by default", signed_in()).non_compliant("Public read through acl AuthenticatedUsers:FullControl");
        case("spared", signed_in()).with(r#"{"treatAuthenticatedUsersAsPublic": false}"#).compliant();
    }

    #[test]
    fn laws() {
        laws::hold(&READ, laws::params());
    }
}
