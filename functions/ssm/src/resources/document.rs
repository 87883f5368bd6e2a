//! A document of this account with the accounts that it is shared with.
//!
//! Depends on no control and no SDK.

use std::collections::BTreeMap;

use rectify_compliance::{AccountId, Permission, Region, ResourceIdentity, ResourceKey, ResourceState, Tags};
use serde::{Deserialize, Serialize};

/// The resource type in AWS Config. The resource id is the name of the document.
pub const TYPE: &str = "AWS::SSM::Document";

/// The account id that means every account, in any case.
const EVERY_ACCOUNT: &str = "all";

/// Permissions of the controls of single documents.
pub mod permissions {
    use super::Permission;

    const DOCUMENTS: &str = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:document/*";
    /// Lists documents.
    pub const LIST: Permission = Permission::unscoped("ssm:ListDocuments");
    /// Reads a document without its content.
    pub const DESCRIBE: Permission = Permission::on("ssm:DescribeDocument", DOCUMENTS);
    /// Reads the accounts it is shared with.
    pub const DESCRIBE_PERMISSION: Permission = Permission::on("ssm:DescribeDocumentPermission", DOCUMENTS);
    /// Adds and removes accounts.
    pub const MODIFY_PERMISSION: Permission = Permission::on("ssm:ModifyDocumentPermission", DOCUMENTS);
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// `Name`.
    pub name: String,
    /// The ARN, which the API does not return.
    pub arn: String,
    /// `AccountIds` as returned, each with its `SharedDocumentVersion`, if that is stated.
    pub shared_with: BTreeMap<String, Option<String>>,
    /// The tags.
    pub tags: Tags,
}

impl Document {
    /// A document of this account in this region, with its tags, before its sharing is read.
    pub fn new(name: &str, account: &AccountId, region: &Region, tags: Tags) -> Self {
        let arn = region.partition().arn("ssm", region.as_str(), account.as_str(), &format!("document/{name}"));
        Self { name: name.to_owned(), arn, shared_with: BTreeMap::new(), tags }
    }

    /// The ids that share it with every account, as returned.
    pub fn public_ids(&self) -> impl Iterator<Item = &str> {
        self.shared_with.keys().map(String::as_str).filter(|it| it.eq_ignore_ascii_case(EVERY_ACCOUNT))
    }
}

impl ResourceState for Document {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.name), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_is_in_the_partition_of_the_region() {
        for (region, arn) in [
            ("eu-west-1", "arn:aws:ssm:eu-west-1:111122223333:document/patch-web"),
            ("cn-north-1", "arn:aws-cn:ssm:cn-north-1:111122223333:document/patch-web"),
        ] {
            let account = AccountId::new("111122223333");
            assert_eq!(Document::new("patch-web", &account, &Region::new(region), Tags::new()).arn, arn);
        }
    }
}
