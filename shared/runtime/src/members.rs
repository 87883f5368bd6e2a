//! Member accounts of a central function: one role in each, which it assumes. No other file of this crate names the SDK
//! of STS.
//!
//! Only a listed account is assumed, and the role's name is a setting: an event cannot choose either.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Credentials as Issued;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region, ShapeError};
use tokio::sync::Mutex;

use crate::settings::Environment;
use crate::{AwsError, Error};

const ACCOUNTS: &str = "MEMBER_ACCOUNTS";
const ROLE: &str = "MEMBER_ROLE";
const EXTERNAL_ID: &str = "MEMBER_EXTERNAL_ID";

/// How long credentials must still be valid. Lambda ends every invocation within 15 minutes, so none outlives them.
const MIN_LEFT: Duration = Duration::from_secs(20 * 60);

/// The members that the environment lists; none without `MEMBER_ACCOUNTS`.
///
/// # Errors
/// [`Error::Setting`] for something that is not an account.
pub fn listed(environment: &Environment) -> Result<BTreeSet<AccountId>, Error> {
    let account = |text: &str| match AccountId::is_id(text) {
        true => Ok(AccountId::new(text)),
        false => {
            let reason = format!("expected accounts of 12 digits, separated by commas: received `{text}`");
            Err(Error::Setting { name: ACCOUNTS, reason })
        }
    };
    let texts = environment.get(ACCOUNTS).into_iter().flat_map(|all| all.split(',')).map(str::trim);
    texts.map(account).collect()
}

/// The accounts that a function may act in besides its own.
pub struct Members {
    accounts: BTreeSet<AccountId>,
    role: String,
    external_id: String,
    region: Region,
    session_name: String,
    sts: Client,
    sessions: Mutex<HashMap<AccountId, Session>>,
}

/// Temporary credentials of the role in one account.
#[derive(Debug, Clone)]
pub struct Session {
    credentials: Credentials,
    /// When they expire.
    pub until: SystemTime,
}

impl Session {
    /// A configuration with these credentials.
    pub fn config(&self, base: &SdkConfig) -> SdkConfig {
        base.to_builder().credentials_provider(SharedCredentialsProvider::new(self.credentials.clone())).build()
    }
}

impl Members {
    /// The members that the environment lists; `None` without `MEMBER_ACCOUNTS`.
    ///
    /// # Errors
    /// [`Error::Setting`] for something that is not an account, and without a role or an external id.
    pub fn read(environment: &Environment, sdk: &SdkConfig, region: &Region) -> Result<Option<Self>, Error> {
        let accounts = listed(environment)?;
        if accounts.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            accounts,
            role: environment.required(ROLE)?.to_owned(),
            external_id: environment.required(EXTERNAL_ID)?.to_owned(),
            region: region.clone(),
            // CloudTrail of the member shows which function made a call.
            session_name: environment.get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or("rectify").to_owned(),
            sts: Client::new(sdk),
            sessions: Mutex::default(),
        }))
    }

    /// Whether the account is one of them.
    pub fn lists(&self, account: &AccountId) -> bool {
        self.accounts.contains(account)
    }

    /// The session in a member account, new or from an earlier invocation; `None` if the account is not a member.
    ///
    /// # Errors
    /// [`Error::MemberRole`] when the role cannot be assumed. The SDK has retried a throttled call.
    pub async fn session(&self, account: &AccountId) -> Result<Option<Session>, Error> {
        if !self.lists(account) {
            return Ok(None);
        }
        let mut sessions = self.sessions.lock().await;
        if let Some(session) = sessions.get(account)
            && session.until.duration_since(SystemTime::now()).is_ok_and(|left| left >= MIN_LEFT)
        {
            return Ok(Some(session.clone()));
        }
        let role = self.region.partition().arn("iam", "", account.as_str(), &format!("role/{}", self.role));
        let session = self.assume(&role).await.map_err(|error| Error::MemberRole {
            account: account.to_string(),
            role,
            error: Box::new(error),
        })?;
        sessions.insert(account.clone(), session.clone());
        Ok(Some(session))
    }

    async fn assume(&self, role: &str) -> Result<Session, AwsError> {
        let call = self.sts.assume_role().role_arn(role).role_session_name(&self.session_name);
        let answer = call.external_id(&self.external_id).send().await;
        let answer = answer.map_err(|error| AwsError::call("sts:AssumeRole", &error))?;
        let issued = answer.credentials.ok_or_else(|| ShapeError::missing("Credentials", "temporary credentials"))?;
        Ok(session(&issued)?)
    }
}

fn session(issued: &Issued) -> Result<Session, ShapeError> {
    let until = SystemTime::try_from(*issued.expiration())
        .map_err(|error| ShapeError::new("Credentials.Expiration", "a time", error))?;
    let token = Some(issued.session_token().to_owned());
    let (id, secret) = (issued.access_key_id(), issued.secret_access_key());
    Ok(Session { credentials: Credentials::new(id, secret, token, Some(until), "member role"), until })
}
