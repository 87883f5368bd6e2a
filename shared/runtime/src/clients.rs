//! SDK configuration from the environment only, and clients by account and region.
//!
//! Lambda sets region and credentials, so `aws-config` and its provider chain are not used: they cost size and start-up
//! time. TLS is rustls with ring, whose first call takes a fraction of the default provider's CPU time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use rectify_compliance::{AccountId, Region};
use tokio::sync::Mutex;

use crate::Error;
use crate::members::{Members, Session};
use crate::settings::Environment;
use crate::writer::Writer;

/// The timeout of one attempt of a call; Lambda's deadline bounds the sum.
const ATTEMPT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The default number of attempts of a call; `AWS_MAX_ATTEMPTS` overrides it.
const MAX_ATTEMPTS: u32 = 4;

/// Endpoint overrides of the environment: `AWS_ENDPOINT_URL_<SERVICE>`, then `AWS_ENDPOINT_URL`.
#[derive(Debug, Clone)]
struct EndpointVariables(Environment);

impl LoadServiceConfig for EndpointVariables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        let specific = format!("{}_{service}", key.env());
        self.0.get(&specific).or_else(|| self.0.get(key.env())).map(str::to_owned)
    }
}

/// The SDK configuration of this environment, for `region`.
///
/// # Errors
/// [`Error::Setting`] when credentials are missing or `AWS_MAX_ATTEMPTS` is not a number above 0.
pub fn sdk_config(environment: &Environment, region: &Region) -> Result<SdkConfig, Error> {
    sdk_config_over(environment, region, https())
}

/// The HTTP client of the SDKs.
pub fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The same with another HTTP client, through which tests replay answers.
///
/// # Errors
/// As [`sdk_config`].
pub fn sdk_config_over(environment: &Environment, region: &Region, http: SharedHttpClient) -> Result<SdkConfig, Error> {
    let variable = |name: &'static str| {
        environment
            .get(name)
            .ok_or_else(|| Error::Setting { name, reason: "expected a value: received nothing".to_owned() })
    };
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "environment",
    );
    sdk_config_with(environment, region, SharedCredentialsProvider::new(credentials), http)
}

/// The same with other credentials than those of the environment.
///
/// # Errors
/// [`Error::Setting`] when `AWS_MAX_ATTEMPTS` is not a number above 0.
pub fn sdk_config_with(
    environment: &Environment,
    region: &Region,
    credentials: SharedCredentialsProvider,
    http: SharedHttpClient,
) -> Result<SdkConfig, Error> {
    let attempts = match environment.get("AWS_MAX_ATTEMPTS") {
        None => MAX_ATTEMPTS,
        Some(text) => text.parse().ok().filter(|attempts| *attempts > 0).ok_or_else(|| Error::Setting {
            name: "AWS_MAX_ATTEMPTS",
            reason: format!("expected a whole number above 0: received `{text}`"),
        })?,
    };
    Ok(SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .region(aws_types::region::Region::new(region.as_str().to_owned()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
        .sleep_impl(TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .http_client(http)
        .service_config(EndpointVariables(environment.clone()))
        .build())
}

/// Whether the endpoint of `service_id` (the SDK's name: `S3`, `S3 Control`) is overridden. Emulators use paths, not a
/// bucket or account in the host name.
pub fn endpoint_is_overridden(config: &SdkConfig, service_id: &str) -> bool {
    if config.endpoint_url().is_some() {
        return true;
    }
    let key =
        ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    match (config.service_config(), key) {
        (Some(service_config), Ok(key)) => service_config.load_config(key).is_some(),
        _ => false,
    }
}

/// Removes the account id from the start of the host name, before signing.
///
/// S3 Control prefixes every endpoint with `<account>.`; such a name does not resolve on loopback. Install it only
/// where [`endpoint_is_overridden`]. Remove it once the SDK has an option to disable the prefix.
#[derive(Debug)]
pub struct WithoutAccountInHost;

impl Intercept for WithoutAccountInHost {
    fn name(&self) -> &'static str {
        "WithoutAccountInHost"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let uri: http::Uri = request.uri().parse()?;
        let Some(authority) = uri.authority().map(http::uri::Authority::as_str) else { return Ok(()) };
        let Some((account, rest)) = authority.split_once('.') else { return Ok(()) };
        if !AccountId::is_id(account) {
            return Ok(());
        }
        let mut parts = uri.clone().into_parts();
        parts.authority = Some(rest.parse()?);
        request.set_uri(http::Uri::from_parts(parts)?.to_string())?;
        Ok(())
    }
}

/// Builds clients from a configuration without a call.
pub type Connector<T> = Arc<dyn Fn(&SdkConfig) -> Arc<T> + Send + Sync>;

/// Clients with the credentials of member accounts, and when these expire.
type Foreign<T> = Mutex<HashMap<(AccountId, Region), (SystemTime, Arc<T>)>>;

/// Clients by account and region: those for the function's own region are built before the first event, others on first use.
pub struct Pool<T: ?Sized> {
    connect: Connector<T>,
    base: SdkConfig,
    region: Region,
    home: Arc<T>,
    others: Mutex<HashMap<Region, Arc<T>>>,
    members: Option<Arc<Members>>,
    foreign: Foreign<T>,
    writers: Mutex<HashMap<Region, Arc<Writer<T>>>>,
    foreign_writers: Foreign<Writer<T>>,
}

impl<T: ?Sized> Pool<T> {
    /// A pool whose first clients are for `region`.
    pub fn new(connect: Connector<T>, base: SdkConfig, region: Region) -> Self {
        let home = connect(&base);
        Self {
            connect,
            base,
            region,
            home,
            others: Mutex::default(),
            members: None,
            foreign: Mutex::default(),
            writers: Mutex::default(),
            foreign_writers: Mutex::default(),
        }
    }

    /// The same, also for these member accounts.
    #[must_use]
    pub fn reaching(self, members: Option<Arc<Members>>) -> Self {
        Self { members, ..self }
    }

    /// Whether the account is one of the members. Makes no call.
    pub fn reaches(&self, account: &AccountId) -> bool {
        self.members.as_ref().is_some_and(|members| members.lists(account))
    }

    /// The clients for `account` and `region`; `own` is the account of the function's role.
    ///
    /// # Errors
    /// [`Error::ForeignAccount`] for an account that is not a member: its credentials are never guessed.
    /// [`Error::MemberRole`] when the role of a member cannot be assumed.
    pub async fn at(&self, own: &AccountId, account: &AccountId, region: &Region) -> Result<Arc<T>, Error> {
        if let Some(session) = self.session(own, account).await? {
            let config = session.config(&self.config(self.endpoint_of(region)));
            return Ok(kept(&self.foreign, account, region, &session, || (self.connect)(&config)).await);
        }
        let region = self.reached(own, account, region)?;
        if *region == self.region {
            return Ok(Arc::clone(&self.home));
        }
        let mut others = self.others.lock().await;
        let clients = others.entry(region.clone()).or_insert_with(|| (self.connect)(&self.config(region)));
        Ok(Arc::clone(clients))
    }

    /// The clients for calls that change resources there: they send each request once. Built on first use.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub async fn writer(&self, own: &AccountId, account: &AccountId, region: &Region) -> Result<Arc<Writer<T>>, Error> {
        if let Some(session) = self.session(own, account).await? {
            let config = session.config(&self.config(self.endpoint_of(region)));
            let new = || Arc::new(Writer::new(&*self.connect, &config));
            return Ok(kept(&self.foreign_writers, account, region, &session, new).await);
        }
        let region = self.reached(own, account, region)?;
        let mut writers = self.writers.lock().await;
        let new = || Arc::new(Writer::new(&*self.connect, &self.config(region)));
        Ok(Arc::clone(writers.entry(region.clone()).or_insert_with(new)))
    }

    /// The session in a member; `None` in the function's own account, and in one that is not a member.
    async fn session(&self, own: &AccountId, account: &AccountId) -> Result<Option<Session>, Error> {
        match &self.members {
            Some(members) if own != account => members.session(account).await,
            Some(_) | None => Ok(None),
        }
    }

    /// The same region, if the account is the function's own.
    fn reached<'a>(&'a self, own: &AccountId, account: &AccountId, region: &'a Region) -> Result<&'a Region, Error> {
        if own != account {
            return Err(Error::ForeignAccount { home: own.to_string(), account: account.to_string() });
        }
        Ok(self.endpoint_of(region))
    }

    /// The region whose endpoint is used for `region`: AWS Config reports `global` for IAM, whose API is called in the
    /// function's own region.
    fn endpoint_of<'a>(&'a self, region: &'a Region) -> &'a Region {
        if region.as_str() == "global" { &self.region } else { region }
    }

    fn config(&self, region: &Region) -> SdkConfig {
        let region = aws_types::region::Region::new(region.as_str().to_owned());
        self.base.to_builder().region(region).build()
    }
}

/// The clients of this session, which later invocations use too until it ends.
async fn kept<T: ?Sized>(
    all: &Foreign<T>,
    account: &AccountId,
    region: &Region,
    session: &Session,
    new: impl FnOnce() -> Arc<T>,
) -> Arc<T> {
    let mut all = all.lock().await;
    let key = (account.clone(), region.clone());
    match all.get(&key) {
        Some((until, clients)) if *until == session.until => Arc::clone(clients),
        _ => {
            let clients = new();
            all.insert(key, (session.until, Arc::clone(&clients)));
            clients
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(extra: &[(&str, &str)]) -> Result<SdkConfig, Error> {
        let base = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
        sdk_config(&Environment::of(base.iter().chain(extra).copied()), &Region::new("eu-west-1"))
    }

    #[test]
    fn endpoints_are_overridden_for_one_service_or_for_all() {
        let one = config(&[("AWS_ENDPOINT_URL_CONFIG_SERVICE", "http://127.0.0.1:1")]).unwrap();
        assert!(endpoint_is_overridden(&one, "Config Service") && !endpoint_is_overridden(&one, "S3"));
        let all = config(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]).unwrap();
        assert!(endpoint_is_overridden(&all, "S3 Control"));
        assert!(!endpoint_is_overridden(&config(&[]).unwrap(), "S3"));
    }

    #[test]
    fn missing_credentials_and_invalid_max_attempts_are_named() {
        let error = sdk_config(&Environment::default(), &Region::new("eu-west-1")).unwrap_err();
        assert_eq!(error.to_string(), "AWS_ACCESS_KEY_ID: expected a value: received nothing");
        let error = config(&[("AWS_MAX_ATTEMPTS", "0")]).unwrap_err();
        assert_eq!(error.to_string(), "AWS_MAX_ATTEMPTS: expected a whole number above 0: received `0`");
    }
}
