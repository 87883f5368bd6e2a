//! The calls for one bucket.

use aws_sdk_s3::types;
use rectify_compliance::{ShapeError, Tags};
use rectify_runtime::AwsError;

use super::{Clients, Named, unless};
use rectify_s3::families::access::{Acl, Flags, Grant, Grantee, Ownership, Permission};
use rectify_s3::families::public_access_block::PublicAccessBlock;
use rectify_s3::resources::bucket::OwnedBucket;

impl Clients {
    /// `GetPublicAccessBlock`.
    pub(super) async fn block(&self, bucket: Named<'_>) -> Result<Option<Flags>, AwsError> {
        let call = self.s3.get_public_access_block().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetPublicAccessBlock", &error));
        let Some(answer) = unless("NoSuchPublicAccessBlockConfiguration", answer)? else { return Ok(None) };
        let block = answer.public_access_block_configuration().ok_or_else(missing_block)?;
        Ok(Some(flags(block)))
    }

    /// `GetBucketAcl`.
    pub(super) async fn acl(&self, bucket: Named<'_>) -> Result<Acl, AwsError> {
        let call = self.s3.get_bucket_acl().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketAcl", &error))?;
        let grants = answer.grants.ok_or_else(|| ShapeError::missing("AccessControlList", "a list of grants"))?;
        let mut grants: Acl = grants.iter().map(grant).collect::<Result<_, _>>()?;
        // S3 does not guarantee an order.
        grants.sort();
        Ok(grants)
    }

    /// `GetBucketOwnershipControls`; without them ACLs are in effect.
    pub(super) async fn ownership(&self, bucket: Named<'_>) -> Result<Ownership, AwsError> {
        let call =
            self.s3.get_bucket_ownership_controls().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketOwnershipControls", &error));
        let Some(answer) = unless("OwnershipControlsNotFoundError", answer)? else {
            return Ok(Ownership::ObjectWriter);
        };
        let rule = answer.ownership_controls().and_then(|controls| controls.rules().first());
        let rule = rule.ok_or_else(|| ShapeError::missing("OwnershipControls.Rules", "a rule"))?;
        Ok(Ownership::parse(rule.object_ownership().as_str())?)
    }

    /// `GetBucketTagging`.
    pub(super) async fn tags(&self, bucket: Named<'_>) -> Result<Tags, AwsError> {
        let call = self.s3.get_bucket_tagging().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketTagging", &error));
        let tags = unless("NoSuchTagSet", answer)?.map(|answer| answer.tag_set).unwrap_or_default();
        Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }

    /// `GetBucketWebsite`: whether there is one.
    pub(super) async fn website(&self, bucket: Named<'_>) -> Result<bool, AwsError> {
        let call = self.s3.get_bucket_website().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketWebsite", &error));
        Ok(unless("NoSuchWebsiteConfiguration", answer)?.is_some())
    }

    /// `PutPublicAccessBlock`.
    pub(super) async fn put_block(&self, call: &PublicAccessBlock<OwnedBucket>) -> Result<(), AwsError> {
        let flags = call.public_access_block_configuration;
        let block = types::PublicAccessBlockConfiguration::builder()
            .block_public_acls(flags.block_public_acls)
            .ignore_public_acls(flags.ignore_public_acls)
            .block_public_policy(flags.block_public_policy)
            .restrict_public_buckets(flags.restrict_public_buckets)
            .build();
        self.s3
            .put_public_access_block()
            .bucket(&call.resource.name)
            .expected_bucket_owner(call.resource.owner.as_str())
            .public_access_block_configuration(block)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("s3:PutPublicAccessBlock", &error))
    }

    /// `DeletePublicAccessBlock`; idempotent.
    pub(super) async fn delete_block(&self, bucket: &OwnedBucket) -> Result<(), AwsError> {
        let call =
            self.s3.delete_public_access_block().bucket(&bucket.name).expected_bucket_owner(bucket.owner.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("s3:DeletePublicAccessBlock", &error))
    }
}

pub(super) fn missing_block() -> ShapeError {
    ShapeError::missing("PublicAccessBlockConfiguration", "an object of four flags")
}

fn flags(block: &types::PublicAccessBlockConfiguration) -> Flags {
    Flags {
        block_public_acls: block.block_public_acls().unwrap_or(false),
        ignore_public_acls: block.ignore_public_acls().unwrap_or(false),
        block_public_policy: block.block_public_policy().unwrap_or(false),
        restrict_public_buckets: block.restrict_public_buckets().unwrap_or(false),
    }
}

fn grant(grant: &types::Grant) -> Result<Grant, ShapeError> {
    const PATH: &str = "AccessControlList.Grant";
    let grantee = grant.grantee().ok_or_else(|| ShapeError::missing(PATH, "a grantee"))?;
    let permission = grant.permission().ok_or_else(|| ShapeError::missing(PATH, "a permission"))?;
    Ok(Grant { grantee: self::grantee(grantee)?, permission: Permission::parse(PATH, permission.as_str())? })
}

fn grantee(grantee: &types::Grantee) -> Result<Grantee, ShapeError> {
    const PATH: &str = "AccessControlList.Grant.Grantee";
    let account = |id: Option<&str>| {
        let id = id.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing(PATH, "an account"))?;
        Ok(Grantee::Account(id.to_owned()))
    };
    match grantee.r#type() {
        types::Type::Group => {
            Grantee::group(PATH, grantee.uri().ok_or_else(|| ShapeError::missing(PATH, "the URI of a group"))?)
        }
        types::Type::CanonicalUser => account(grantee.id()),
        types::Type::AmazonCustomerByEmail => account(grantee.email_address()),
        other => Err(ShapeError::new(PATH, "a known type of grantee", other.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(uri: &str) -> types::Grantee {
        types::Grantee::builder().r#type(types::Type::Group).uri(uri).build().unwrap()
    }

    fn granted(grantee: types::Grantee, permission: types::Permission) -> types::Grant {
        types::Grant::builder().grantee(grantee).permission(permission).build()
    }

    #[test]
    fn grants_are_parsed_like_those_of_an_item() {
        let account = types::Grantee::builder().r#type(types::Type::CanonicalUser).id("79a5").build().unwrap();
        for (given, grantee, permission) in [
            (
                granted(group("http://acs.amazonaws.com/groups/global/AllUsers"), types::Permission::WriteAcp),
                Grantee::AllUsers,
                Permission::WriteAcp,
            ),
            (
                granted(account, types::Permission::FullControl),
                Grantee::Account("79a5".to_owned()),
                Permission::FullControl,
            ),
        ] {
            assert_eq!(grant(&given), Ok(Grant { grantee, permission }));
        }
    }

    #[test]
    fn unknown_grant_is_refused() {
        let everyone = || group("http://acs.amazonaws.com/groups/global/AllUsers");
        let groupless = types::Grantee::builder().r#type(types::Type::Group).build().unwrap();
        let unknown = types::Grantee::builder().r#type(types::Type::from("Robot")).id("1").build().unwrap();
        for given in [
            granted(everyone(), types::Permission::from("PEEK")),
            granted(group("http://acs.amazonaws.com/groups/global/Everyone"), types::Permission::Read),
            granted(groupless, types::Permission::Read),
            granted(unknown, types::Permission::Read),
            types::Grant::builder().grantee(everyone()).build(),
        ] {
            assert!(grant(&given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn missing_flag_is_off() {
        let sent = types::PublicAccessBlockConfiguration::builder().ignore_public_acls(true).build();
        assert_eq!(flags(&sent), Flags { ignore_public_acls: true, ..Flags::NONE });
    }
}
