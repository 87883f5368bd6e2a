//! The calls to IAM. The only place that names its SDK; it maps answers and decides nothing.

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_account_summary::GetAccountSummaryOutput;
use aws_sdk_iam::types::SummaryKeyType;
use aws_types::SdkConfig;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Never, NoParameters, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::edge::{Apply, Connect, List, Place, ReadLive, Revert};

use crate::iam_root_access_key_check::{IamRootAccessKeyCheck, RootUser};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    iam: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { iam: Client::new(config) }
    }
}

impl Clients {
    /// `GetAccountSummary`: one call, no pages.
    async fn root_user(&self, account: &AccountId, region: &Region) -> Result<RootUser, AwsError> {
        let summary = self
            .iam
            .get_account_summary()
            .send()
            .await
            .map_err(|error| AwsError::call("iam:GetAccountSummary", &error))?;
        Ok(root_user(&summary, account, region)?)
    }
}

impl List<Clients> for IamRootAccessKeyCheck {
    fn pages<'a>(
        clients: &'a Clients,
        place: &'a Place,
        _params: &'a NoParameters,
    ) -> impl Stream<Item = Result<Vec<RootUser>, AwsError>> + Send + 'a {
        once(async move { clients.root_user(&place.account, &place.region).await.map(|root| vec![root]) })
    }
}

impl ReadLive<Clients> for IamRootAccessKeyCheck {
    async fn live(clients: &Clients, target: &Target, _params: &NoParameters) -> Result<Option<RootUser>, AwsError> {
        clients.root_user(&target.account, &target.region).await.map(Some)
    }
}

impl Apply<Clients> for IamRootAccessKeyCheck {
    async fn apply(_clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

impl Revert<Clients> for IamRootAccessKeyCheck {
    async fn revert(_clients: &Clients, _target: &Target, undo: &Never) -> Result<(), AwsError> {
        match *undo {}
    }
}

fn root_user(summary: &GetAccountSummaryOutput, account: &AccountId, region: &Region) -> Result<RootUser, ShapeError> {
    let present = summary.summary_map().and_then(|map| map.get(&SummaryKeyType::AccountAccessKeysPresent)).copied();
    RootUser::counted(account.clone(), region.partition(), present)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(keys: &[(SummaryKeyType, i32)]) -> Result<RootUser, ShapeError> {
        let mut summary = GetAccountSummaryOutput::builder();
        for (key, value) in keys {
            summary = summary.summary_map(key.clone(), *value);
        }
        root_user(&summary.build(), &AccountId::new("111122223333"), &Region::new("us-east-1"))
    }

    #[test]
    fn the_count_is_found_among_the_other_entries() {
        let root = read(&[(SummaryKeyType::Users, 7), (SummaryKeyType::AccountAccessKeysPresent, 1)]).unwrap();
        assert_eq!(root.access_keys, 1);
    }

    /// `iam-root-access-key-check/3`
    #[test]
    fn an_answer_without_the_count_is_refused() {
        for keys in [&[][..], &[(SummaryKeyType::AccountMfaEnabled, 1)]] {
            let error = read(keys).unwrap_err();
            assert_eq!(error.path, "SummaryMap.AccountAccessKeysPresent");
        }
    }
}
