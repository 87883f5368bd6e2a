//! Who calls: region and credentials, and the account and ARN they belong to.

mod cli;
mod client;
mod primed;

use std::collections::{BTreeMap, BTreeSet};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region};
use rectify_runtime::clients::{https, sdk_config, sdk_config_with};
use rectify_runtime::settings::Environment;
use rectify_runtime::{AwsError, Error};
use tokio::sync::OnceCell;

use crate::cli_error::CliError;
use crate::place;
use cli::Profile;
use primed::Primed;

/// The attempts of a call of a scan, which makes many: a throttled one waits up to 20 s before the next, at random.
const PATIENT_ATTEMPTS: u32 = 8;

/// The operator's credentials in one region.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    config: SdkConfig,
    region: Region,
    /// `AWS_ACCOUNT_ID`.
    stated: Option<AccountId>,
    identity: OnceCell<Identity>,
}

/// The principal of the credentials, as STS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Its account.
    pub(crate) account: AccountId,
    /// The ARN of the user, the role session or the root user.
    pub(crate) arn: String,
}

/// A role to assume.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    arn: String,
    external_id: Option<String>,
}

impl Role {
    /// The role with this ARN, and the external id that its trust policy may require.
    pub(crate) fn new(arn: &str, external_id: Option<&str>) -> Self {
        Self { arn: arn.to_owned(), external_id: external_id.map(str::to_owned) }
    }
}

impl Caller {
    /// The credentials of the environment, else those of the profile; in `region`, else that of the environment, else
    /// that of the profile. Starts the AWS CLI for what comes from the profile, and makes no call itself.
    ///
    /// # Errors
    /// [`CliError`] if there is no region or no credentials.
    pub(crate) async fn new(region: Option<&str>, environment: &Environment) -> Result<Self, CliError> {
        let profile = Profile::of(environment);
        let stated = environment.get("AWS_ACCESS_KEY_ID").is_some();
        // Before the region: a profile that does not exist has none, either.
        let first = if stated { None } else { Some(profile.credentials().await?) };
        let region = match place::region(region, environment) {
            Ok(region) => region,
            Err(missing) => profile.region().await.map(Region::new).ok_or(missing)?,
        };
        let config = match first {
            None => sdk_config(environment, &region)?,
            Some(first) => {
                let credentials = SharedCredentialsProvider::new(Primed::new(first, profile));
                sdk_config_with(environment, &region, credentials, https())?
            }
        };
        // All clients share the credentials until they expire; those of another account have a partition of their own.
        let config = config.into_builder().identity_cache(IdentityCache::lazy().build()).build();
        let stated = environment.get("AWS_ACCOUNT_ID").map(AccountId::new);
        Ok(Self { config, region, stated, identity: OnceCell::new() })
    }

    /// For calls in the region.
    pub(crate) const fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// For calls in another region, over the same connections.
    pub(crate) fn config_in(&self, region: &Region) -> SdkConfig {
        let region = aws_types::region::Region::new(region.as_str().to_owned());
        self.config.to_builder().region(region).build()
    }

    /// The same credentials, with more attempts of a call unless `AWS_MAX_ATTEMPTS` sets their number.
    pub(crate) fn patient(self, environment: &Environment) -> Self {
        if environment.get("AWS_MAX_ATTEMPTS").is_some() {
            return self;
        }
        let retries = RetryConfig::standard().with_max_attempts(PATIENT_ATTEMPTS);
        Self { config: self.config.into_builder().retry_config(retries).build(), ..self }
    }

    /// The credentials of a role, which are renewed before they expire.
    ///
    /// # Errors
    /// [`AwsError`] of `sts:AssumeRole`.
    pub(crate) async fn assume(&self, role: Role) -> Result<Self, AwsError> {
        let session = client::RoleSession::new(&self.config, role);
        let (first, identity) = session.assume().await?;
        let credentials = SharedCredentialsProvider::new(Primed::new(first, session));
        Ok(Self {
            config: self.config.to_builder().credentials_provider(credentials).build(),
            region: self.region.clone(),
            stated: None,
            identity: OnceCell::new_with(Some(identity)),
        })
    }

    /// The regions of the partition, and whether the account has enabled each.
    ///
    /// # Errors
    /// [`AwsError`] of `ec2:DescribeRegions`.
    pub(crate) async fn regions(&self) -> Result<BTreeMap<Region, bool>, AwsError> {
        // The home region is always enabled, and exists even if this one is misspelt.
        let mut regions = client::regions(&self.config_in(&self.region.default_home_region())).await?;
        regions.retain(|region, _| region.partition() == self.region.partition());
        Ok(regions)
    }

    /// The active accounts of the organization.
    ///
    /// # Errors
    /// [`AwsError`] of `organizations:ListAccounts`.
    pub(crate) async fn organization(&self) -> Result<BTreeSet<AccountId>, AwsError> {
        client::accounts(&self.config).await
    }

    /// The region.
    pub(crate) const fn region(&self) -> &Region {
        &self.region
    }

    /// The account of a resource unless an argument states it: `AWS_ACCOUNT_ID`, else that of the credentials.
    ///
    /// # Errors
    /// As [`identity`](Self::identity).
    pub(crate) async fn account(&self) -> Result<&AccountId, CliError> {
        match &self.stated {
            Some(account) => Ok(account),
            None => self.identity().await.map(|it| &it.account),
        }
    }

    /// The account and the ARN of the credentials; the first use calls STS.
    ///
    /// # Errors
    /// [`CliError`] if AWS does not accept the credentials, or does not answer.
    pub(crate) async fn identity(&self) -> Result<&Identity, CliError> {
        let identity = self.identity.get_or_try_init(|| client::identity(&self.config)).await;
        identity.map_err(|error| refused(error, &self.region))
    }

    /// Refuses to use the credentials on a resource of another account: what they read would be of their own account.
    ///
    /// # Errors
    /// [`CliError::Usage`] that names both accounts; else as [`identity`](Self::identity).
    pub(crate) async fn expect_account(&self, account: &AccountId) -> Result<(), CliError> {
        let own = &self.identity().await?.account;
        if own == account {
            return Ok(());
        }
        Err(CliError::usage(format!(
            "account: expected {own}, the account of the credentials: received {account}: use credentials of {account}"
        )))
    }
}

/// The variables that state credentials, which `--profile` replaces.
const STATED: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCOUNT_ID"];

/// The environment of this process; with `profile`, as if it had that profile and no credentials.
pub(crate) fn environment(profile: Option<&str>) -> Environment {
    match profile {
        None => Environment::of_process(),
        Some(profile) => {
            let others = std::env::vars().filter(|(name, _)| !STATED.contains(&name.as_str()));
            Environment::of(others.chain([("AWS_PROFILE".to_owned(), profile.to_owned())]))
        }
    }
}

/// Why STS did not name the caller, and what to do.
fn refused(error: AwsError, region: &Region) -> CliError {
    let brief = error.brief();
    match error.code() {
        Some("ExpiredToken" | "ExpiredTokenException" | "RequestExpired") => CliError::usage(format!(
            "credentials: the session has expired ({brief}): get new credentials, for IAM Identity Center with `aws sso login`"
        )),
        Some("InvalidClientTokenId" | "UnrecognizedClientException" | "AuthFailure") => CliError::usage(format!(
            "credentials: not valid in region {region} ({brief}): check the access key, and that the account has the region enabled"
        )),
        Some("SignatureDoesNotMatch" | "IncompleteSignature") => CliError::usage(format!(
            "credentials: the secret access key does not match the access key ({brief}): check both, and the clock"
        )),
        Some("Dispatch" | "Timeout" | "Response") => CliError::Machine(format!(
            "{error}: no usable answer in region {region}: check the network, the region and AWS_ENDPOINT_URL"
        )),
        _ => CliError::Error(Error::Aws(error)),
    }
}

#[cfg(test)]
impl Caller {
    /// A caller whose credentials are of this account, without a call.
    pub(crate) fn of_account(account: &str, region: &str) -> Self {
        let region = Region::new(region);
        let arn = format!("arn:{}:iam::{account}:user/ada", region.partition().as_str());
        let identity = Identity { account: AccountId::new(account), arn };
        Self {
            config: SdkConfig::builder().build(),
            region,
            stated: None,
            identity: OnceCell::new_with(Some(identity)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rectify_runtime::CallError;

    #[test]
    fn an_error_names_the_next_step() {
        let answered = |code| CallError::answered("sts:GetCallerIdentity", 403, code, "no");
        let silent = CallError::unanswered("sts:GetCallerIdentity", "Dispatch", "io error");
        let rows = [
            (
                answered("ExpiredToken"),
                "credentials: the session has expired (sts:GetCallerIdentity: ExpiredToken): get new credentials, for IAM \
                 Identity Center with `aws sso login`",
                2,
            ),
            (
                answered("InvalidClientTokenId"),
                "credentials: not valid in region me-south-1 (sts:GetCallerIdentity: InvalidClientTokenId): check the access \
                 key, and that the account has the region enabled",
                2,
            ),
            (
                answered("SignatureDoesNotMatch"),
                "credentials: the secret access key does not match the access key (sts:GetCallerIdentity: \
                 SignatureDoesNotMatch): check both, and the clock",
                2,
            ),
            (
                silent,
                "sts:GetCallerIdentity: Dispatch: io error: no usable answer in region me-south-1: check the network, the \
                 region and AWS_ENDPOINT_URL",
                3,
            ),
            (answered("Teapot"), "sts:GetCallerIdentity: Teapot: no", 3),
        ];
        for (error, text, code) in rows {
            let error = refused(error.into(), &Region::new("me-south-1"));
            assert_eq!((error.to_string().as_str(), error.code()), (text, code));
        }
    }

    #[tokio::test]
    async fn credentials_of_another_account_are_refused() {
        let caller = Caller::of_account("111122223333", "eu-west-1");
        assert!(caller.expect_account(&AccountId::new("111122223333")).await.is_ok());
        let error = caller.expect_account(&AccountId::new("444455556666")).await.err().map(|it| it.to_string());
        let expected = "account: expected 111122223333, the account of the credentials: received 444455556666: use \
                        credentials of 444455556666";
        assert_eq!(error.as_deref(), Some(expected));
    }
}
