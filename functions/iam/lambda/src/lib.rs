//! The calls to IAM. The only place that names its SDK; it maps answers and decides nothing.
//!
//! | module | content |
//! |---|---|
//! | this one | the password policy of the account |
//! | `root` | the account summary, with the root user |
//! | `users` | users by name and page by page, with the reads that controls of users share |
//! | `keys` | access keys |
//! | `mfa` | console access, MFA devices, and the policy that requires them |
//! | `policies` | policies of users, and customer managed policies |

mod functions;
mod keys;
mod mfa;
mod policies;
mod root;
mod users;

use aws_sdk_iam::Client;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types;
use aws_types::SdkConfig;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, ShapeError, Target, Timestamp};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found, List, Page};

use rectify_iam::controls::iam_password_policy::{
    IamPasswordPolicy, IamPasswordPolicyParameters, PasswordAction, PasswordUndo, Passwords,
};
use rectify_iam::resources::password_policy::{Answer, PasswordPolicy};
use rectify_iam::resources::{managed_policy, user};

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    iam: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { iam: Client::new(config) }
    }

    async fn ids(&self, _place: &AccountRegion, kind: &str) -> Result<Option<Vec<Found>>, AwsError> {
        match kind {
            user::TYPE => self.all_users().await.map(Some),
            managed_policy::TYPE => self.all_policies().await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Clients {
    /// `GetAccountPasswordPolicy`; `None` if the account has no custom policy.
    async fn passwords(&self, account: &AccountId) -> Result<Passwords, AwsError> {
        let answer = self.iam.get_account_password_policy().send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetAccountPasswordPolicy", &error)))?;
        let policy = match answer {
            None => None,
            Some(answer) => {
                let policy = answer.password_policy.ok_or_else(|| ShapeError::missing("PasswordPolicy", "a policy"))?;
                Some(answer_of(&policy).read()?)
            }
        };
        Ok(Passwords { account: account.clone(), policy })
    }

    /// `UpdateAccountPasswordPolicy` with every setting that is on; IAM resets omitted settings to their default, which
    /// is off.
    async fn set_passwords(&self, policy: &PasswordPolicy) -> Result<(), AwsError> {
        let number = |setting: &str, value: u32| {
            i32::try_from(value).map_err(|_| ShapeError::new(setting, "a number that IAM takes", value))
        };
        let optional = |setting, value: Option<u32>| value.map(|value| number(setting, value)).transpose();
        self.iam
            .update_account_password_policy()
            .minimum_password_length(number("MinimumPasswordLength", policy.minimum_password_length)?)
            .require_symbols(policy.require_symbols)
            .require_numbers(policy.require_numbers)
            .require_uppercase_characters(policy.require_uppercase_characters)
            .require_lowercase_characters(policy.require_lowercase_characters)
            .allow_users_to_change_password(policy.allow_users_to_change_password)
            .set_max_password_age(optional("MaxPasswordAge", policy.max_password_age)?)
            .set_password_reuse_prevention(optional("PasswordReusePrevention", policy.password_reuse_prevention)?)
            .hard_expiry(policy.hard_expiry)
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("iam:UpdateAccountPasswordPolicy", &error))
    }

    /// `DeleteAccountPasswordPolicy`; a policy that is already gone is a success.
    async fn delete_passwords(&self) -> Result<(), AwsError> {
        let answer = self.iam.delete_account_password_policy().send().await;
        unless_missing(answer.map_err(|error| AwsError::call("iam:DeleteAccountPasswordPolicy", &error))).map(drop)
    }
}

impl List<Clients> for IamPasswordPolicy {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a IamPasswordPolicyParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<Passwords>, AwsError>> + Send + 'a {
        once(async move { clients.passwords(&place.account).await.map(|it| Page::whole([it])) })
    }
}

impl Fix<Clients> for IamPasswordPolicy {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &IamPasswordPolicyParameters,
    ) -> Result<Option<Passwords>, AwsError> {
        clients.passwords(&target.account).await.map(Some)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &PasswordAction) -> Result<(), AwsError> {
        let PasswordAction::UpdateAccountPasswordPolicy(policy) = action;
        clients.set_passwords(policy).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &PasswordUndo) -> Result<(), AwsError> {
        match undo {
            PasswordUndo::UpdateAccountPasswordPolicy(policy) => clients.set_passwords(policy).await,
            PasswordUndo::DeleteAccountPasswordPolicy {} => clients.delete_passwords().await,
        }
    }
}

fn answer_of(policy: &types::PasswordPolicy) -> Answer {
    Answer {
        minimum_password_length: policy.minimum_password_length,
        require_symbols: policy.require_symbols,
        require_numbers: policy.require_numbers,
        require_uppercase_characters: policy.require_uppercase_characters,
        require_lowercase_characters: policy.require_lowercase_characters,
        allow_users_to_change_password: policy.allow_users_to_change_password,
        expire_passwords: policy.expire_passwords,
        max_password_age: policy.max_password_age,
        password_reuse_prevention: policy.password_reuse_prevention,
        hard_expiry: policy.hard_expiry,
    }
}

/// `None` if IAM has no such user, profile or policy.
fn unless_missing<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is("NoSuchEntity") => Ok(None),
        Err(error) => Err(error),
    }
}

/// A time of an answer.
fn time(path: &str, time: DateTime) -> Result<Timestamp, ShapeError> {
    Timestamp::from_second(time.secs()).map_err(|_| ShapeError::new(path, "a time", time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_an_answer_is_read() {
        let policy = types::PasswordPolicy::builder()
            .minimum_password_length(14)
            .require_symbols(true)
            .require_numbers(false)
            .require_uppercase_characters(true)
            .require_lowercase_characters(false)
            .allow_users_to_change_password(true)
            .expire_passwords(true)
            .max_password_age(90)
            .password_reuse_prevention(24)
            .hard_expiry(true)
            .build();
        let expected = PasswordPolicy {
            minimum_password_length: 14,
            require_symbols: true,
            require_numbers: false,
            require_uppercase_characters: true,
            require_lowercase_characters: false,
            allow_users_to_change_password: true,
            max_password_age: Some(90),
            password_reuse_prevention: Some(24),
            hard_expiry: true,
        };
        assert_eq!(answer_of(&policy).read(), Ok(expected));
    }

    #[test]
    fn a_time_out_of_range_is_refused() {
        assert_eq!(time("t", DateTime::from_secs(1_772_593_200)), Ok("2026-03-04T03:00:00Z".parse().unwrap()));
        assert_eq!(time("t", DateTime::from_secs(i64::MAX)).unwrap_err().path, "t");
    }
}
