//! A function that invokes itself to continue its work. No other file of this crate names Lambda's SDK.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::AwsError;
use crate::retry::Backoff;

/// The Lambda client with which a function invokes itself.
#[derive(Debug, Clone)]
pub struct Relay {
    config: SdkConfig,
}

impl Relay {
    /// With this configuration. Few functions invoke themselves, so the client is built on use.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone() }
    }

    /// Invokes `function`, an ARN, asynchronously with `event`: Lambda queues the event and retries it if it fails. The
    /// SDK's retries are off, since every request may start an invocation even if its answer is lost. The call is
    /// retried only if the answer says that nothing was started.
    ///
    /// # Errors
    /// [`AwsError`] when Lambda did not confirm the invocation.
    pub async fn invoke_self(&self, function: &str, event: &Value) -> Result<(), AwsError> {
        let config = Builder::from(&self.config).retry_config(RetryConfig::disabled()).build();
        let call = Client::from_conf(config).invoke().function_name(function).invocation_type(InvocationType::Event);
        let call = call.payload(Blob::new(event.to_string()));
        let mut tries = Backoff::ACTION.tries();
        loop {
            tries.next().await;
            match call.clone().send().await.map_err(|error| AwsError::call("lambda:Invoke", &error)) {
                Err(AwsError::Call(error)) if error.is_passing() && error.did_nothing() && !tries.is_last() => {}
                answer => return answer.map(drop),
            }
        }
    }
}
