//! Credentials and region as the AWS CLI resolves them: profiles, roles, IAM Identity Center, `credential_process`, web
//! identity, containers and instances. No SDK for each of these is linked, and nothing differs from `aws`.

use std::process::Stdio;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use rectify_compliance::Timestamp;
use rectify_runtime::settings::Environment;
use serde_json::Value;
use tokio::process::Command;

use crate::cli_error::CliError;

/// A profile of the AWS CLI.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    /// `AWS_PROFILE`, or `--profile`.
    name: Option<String>,
}

impl Profile {
    pub(super) fn of(environment: &Environment) -> Self {
        Self { name: environment.get("AWS_PROFILE").map(str::to_owned) }
    }

    /// Its region, if it has one.
    pub(super) async fn region(&self) -> Option<String> {
        let region = self.aws(&["configure", "get", "region"]).await.ok()?;
        Some(region.trim().to_owned()).filter(|it| !it.is_empty())
    }

    /// Its credentials, or those of the container or instance.
    ///
    /// # Errors
    /// [`CliError::Usage`] if there is no AWS CLI, or no credentials.
    pub(super) async fn credentials(&self) -> Result<Credentials, CliError> {
        let text = self.aws(&["configure", "export-credentials", "--format", "process"]).await;
        let credentials = text.and_then(|text| parse(&text)).map_err(|why| format!("{why}: {}", self.step(&why)));
        credentials.map_err(|why| CliError::usage(format!("credentials: {why}")))
    }

    /// The output of the AWS CLI, or what it says to standard error.
    async fn aws(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new("aws");
        command.args(arguments).args(self.name.iter().flat_map(|name| ["--profile", name])).stdin(Stdio::null());
        let output = command.output().await;
        let output =
            output.map_err(|error| format!("no AWS_ACCESS_KEY_ID, and the AWS CLI does not start: aws: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().rfind(|line| !line.trim().is_empty()).map_or("no message", str::trim);
        let said: String = said.chars().filter(|it| !it.is_control()).collect();
        Err(format!("aws {}: {said}", arguments.join(" ")))
    }

    /// What to do about it.
    fn step(&self, why: &str) -> String {
        let profile = self.name.as_ref().map_or_else(String::new, |name| format!(" --profile {name}"));
        if why.contains("does not start") {
            "install it, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
        } else if why.to_lowercase().contains("sso") || why.contains("oken") {
            format!("run `aws sso login{profile}`")
        } else if why.contains("could not be found") {
            "`aws configure list-profiles` lists the profiles".to_owned()
        } else {
            format!("check `aws sts get-caller-identity{profile}`, or name another profile with --profile")
        }
    }
}

impl ProvideCredentials for Profile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let credentials = self.credentials();
        future::ProvideCredentials::new(async { credentials.await.map_err(CredentialsError::provider_error) })
    }
}

/// The credentials in the format of a `credential_process`, version 1. No value is part of an error.
fn parse(text: &str) -> Result<Credentials, String> {
    let wrong = |what: &str| format!("aws configure export-credentials: expected {what}");
    let value: Value = serde_json::from_str(text).map_err(|_| wrong("JSON"))?;
    let field = |name: &str| value.get(name).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
    let expiry = match field("Expiration") {
        None => None,
        Some(text) => Some(text.parse::<Timestamp>().map_err(|_| wrong("a time as Expiration"))?),
    };
    let id = field("AccessKeyId").ok_or_else(|| wrong("AccessKeyId"))?;
    let secret = field("SecretAccessKey").ok_or_else(|| wrong("SecretAccessKey"))?;
    Ok(Credentials::new(id, secret, field("SessionToken"), expiry.map(SystemTime::from), "AWS CLI"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_a_credential_process() {
        let text = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"2027-01-02T03:04:05+00:00"}"#;
        let found = parse(text).unwrap();
        assert_eq!((found.access_key_id(), found.secret_access_key(), found.session_token()), ("A", "s", Some("t")));
        assert_eq!(
            found.expiry().map(|it| Timestamp::try_from(it).unwrap().to_string()).unwrap(),
            "2027-01-02T03:04:05Z"
        );
        let lasting = parse(r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s"}"#).unwrap();
        assert_eq!((lasting.session_token(), lasting.expiry()), (None, None));
        for (text, expected) in [
            ("", "JSON"),
            (r#"{"AccessKeyId":"A"}"#, "SecretAccessKey"),
            (r#"{"SecretAccessKey":"hidden"}"#, "AccessKeyId"),
            (r#"{"AccessKeyId":"A","SecretAccessKey":"hidden","Expiration":"soon"}"#, "a time as Expiration"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, format!("aws configure export-credentials: expected {expected}"));
        }
    }

    #[test]
    fn an_error_names_the_next_step() {
        let step = |why: &str| Profile { name: Some("prod".to_owned()) }.step(why);
        for (why, expected) in [
            ("aws …: Error when retrieving token from sso: Token has expired", "run `aws sso login --profile prod`"),
            ("aws …: The config profile (prod) could not be found", "`aws configure list-profiles` lists the profiles"),
            (
                "the AWS CLI does not start: aws: No such file",
                "install it, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            (
                "aws …: Unable to retrieve credentials",
                "check `aws sts get-caller-identity --profile prod`, or name another profile with --profile",
            ),
        ] {
            assert_eq!(step(why), expected, "{why}");
        }
    }
}
