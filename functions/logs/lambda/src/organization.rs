//! The organization of the account.

use rectify_compliance::{AccountId, ShapeError};
use rectify_runtime::AwsError;

use super::Clients;
use rectify_logs::families::alarm_chain::observed::Organization;

impl Clients {
    /// Which account manages the organization. Every account in one may read that.
    pub(super) async fn organization(&self) -> Result<Organization, AwsError> {
        let answer = self.organizations.describe_organization().send().await;
        match answer.map_err(|error| AwsError::call("organizations:DescribeOrganization", &error)) {
            Ok(answer) => {
                let account = answer.organization.and_then(|it| it.master_account_id);
                let account = account
                    .ok_or_else(|| ShapeError::missing("Organization.MasterAccountId", "the id of an account"))?;
                Ok(Organization::ManagedBy { account: AccountId::new(account) })
            }
            Err(error) if error.is("AWSOrganizationsNotInUseException") => Ok(Organization::NotInUse),
            Err(error) => Err(error),
        }
    }
}
