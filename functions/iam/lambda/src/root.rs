//! The account summary and its entries about the root user.

use std::collections::HashMap;

use aws_sdk_iam::types::SummaryKeyType;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Never, NoParameters, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::Clients;
use rectify_iam::controls::iam_root_access_key_check::{IamRootAccessKeyCheck, RootUser};
use rectify_iam::controls::root_account_mfa_enabled::{
    RootAccountMfaEnabled, RootAccountMfaEnabledParameters, RootSignIn,
};

/// The entries of an account summary.
pub(super) struct Summary(HashMap<SummaryKeyType, i32>);

impl Summary {
    pub(super) fn number(&self, key: &SummaryKeyType) -> Option<i32> {
        self.0.get(key).copied()
    }
}

impl Clients {
    /// `GetAccountSummary`: one call, no pages.
    pub(super) async fn summary(&self) -> Result<Summary, AwsError> {
        let answer = self
            .iam
            .get_account_summary()
            .send()
            .await
            .map_err(|error| AwsError::call("iam:GetAccountSummary", &error))?;
        Ok(Summary(answer.summary_map.unwrap_or_default()))
    }

    async fn root_user(&self, account: &AccountId, region: &Region) -> Result<RootUser, AwsError> {
        Ok(root_user(&self.summary().await?, account, region)?)
    }

    async fn root_sign_in(&self, account: &AccountId, region: &Region) -> Result<RootSignIn, AwsError> {
        Ok(root_sign_in(&self.summary().await?, account, region)?)
    }
}

impl List<Clients> for IamRootAccessKeyCheck {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a NoParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<RootUser>, AwsError>> + Send + 'a {
        once(async move { clients.root_user(&place.account, &place.region).await.map(|root| Page::whole([root])) })
    }
}

impl Fix<Clients> for IamRootAccessKeyCheck {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &NoParameters,
    ) -> Result<Option<RootUser>, AwsError> {
        clients.root_user(&target.account, &target.region).await.map(Some)
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

impl List<Clients> for RootAccountMfaEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a RootAccountMfaEnabledParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<RootSignIn>, AwsError>> + Send + 'a {
        once(async move { clients.root_sign_in(&place.account, &place.region).await.map(|root| Page::whole([root])) })
    }
}

impl Fix<Clients> for RootAccountMfaEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &RootAccountMfaEnabledParameters,
    ) -> Result<Option<RootSignIn>, AwsError> {
        clients.root_sign_in(&target.account, &target.region).await.map(Some)
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

fn root_user(summary: &Summary, account: &AccountId, region: &Region) -> Result<RootUser, ShapeError> {
    RootUser::counted(account.clone(), region.partition(), summary.number(&SummaryKeyType::AccountAccessKeysPresent))
}

fn root_sign_in(summary: &Summary, account: &AccountId, region: &Region) -> Result<RootSignIn, ShapeError> {
    RootSignIn::from_summary(
        account.clone(),
        region.partition(),
        summary.number(&SummaryKeyType::AccountMfaEnabled),
        summary.number(&SummaryKeyType::AccountPasswordPresent),
        summary.number(&SummaryKeyType::AccountAccessKeysPresent),
        summary.number(&SummaryKeyType::AccountSigningCertificatesPresent),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(keys: &[(SummaryKeyType, i32)]) -> Summary {
        Summary(keys.iter().cloned().collect())
    }

    fn place() -> (AccountId, Region) {
        (AccountId::new("111122223333"), Region::new("us-east-1"))
    }

    #[test]
    fn access_key_count_is_read() {
        let (account, region) = place();
        let summary = summary(&[(SummaryKeyType::Users, 7), (SummaryKeyType::AccountAccessKeysPresent, 1)]);
        assert_eq!(root_user(&summary, &account, &region).unwrap().access_keys, 1);
    }

    /// `iam-root-access-key-check/3`
    #[test]
    fn answer_without_the_count_is_refused() {
        let (account, region) = place();
        for keys in [&[][..], &[(SummaryKeyType::AccountMfaEnabled, 1)]] {
            let error = root_user(&summary(keys), &account, &region).unwrap_err();
            assert_eq!(error.path, "SummaryMap.AccountAccessKeysPresent");
        }
    }

    #[test]
    fn each_number_is_read_from_its_own_entry() {
        let (account, region) = place();
        let whole = [
            (SummaryKeyType::AccountMfaEnabled, 1),
            (SummaryKeyType::AccountPasswordPresent, 0),
            (SummaryKeyType::AccountAccessKeysPresent, 2),
            (SummaryKeyType::AccountSigningCertificatesPresent, 1),
        ];
        let expected = RootSignIn {
            account: account.clone(),
            partition: region.partition(),
            mfa: true,
            password: Some(false),
            access_keys: Some(true),
            signing_certificates: Some(true),
        };
        assert_eq!(root_sign_in(&summary(&whole), &account, &region), Ok(expected.clone()));
        let partial = RootSignIn { password: None, access_keys: None, signing_certificates: None, ..expected };
        assert_eq!(root_sign_in(&summary(&whole[..1]), &account, &region), Ok(partial));
        assert!(root_sign_in(&summary(&whole[1..]), &account, &region).is_err());
    }
}
