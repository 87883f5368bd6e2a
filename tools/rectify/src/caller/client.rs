//! The calls to STS.

use aws_sdk_sts::Client;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, ShapeError};
use rectify_runtime::AwsError;

use super::Identity;

/// The principal of the credentials. Every principal may make this call.
pub(super) async fn identity(config: &SdkConfig) -> Result<Identity, AwsError> {
    let answer = Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| AwsError::call("sts:GetCallerIdentity", &error))?;
    let account = answer.account.filter(|it| AccountId::is_id(it));
    let account = account.ok_or_else(|| ShapeError::missing("Account", "an account id"))?;
    let arn = answer.arn.ok_or_else(|| ShapeError::missing("Arn", "an ARN"))?;
    Ok(Identity { account: AccountId::new(account), arn })
}
