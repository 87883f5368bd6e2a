//! A function that invokes itself, to go on in an invocation of its own. The only file here that names Lambda's SDK.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use serde_json::Value;

use crate::AwsError;
use crate::retry::Backoff;

/// Lambda, as a function uses it to go on.
#[derive(Debug, Clone)]
pub struct Relay {
    config: SdkConfig,
}

impl Relay {
    /// Over this configuration. Few functions ever go on, so the client is built when one does.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone() }
    }

    /// Lets `function`, an ARN, be invoked with `event`, asynchronously: Lambda keeps the event and repeats it if it fails.
    /// Retries of the SDK are off: a request whose answer was lost may have begun an invocation, and each that is sent begins
    /// another. It is repeated only where the answer says that nothing was begun.
    ///
    /// # Errors
    /// [`AwsError`] when Lambda did not accept it, or did not say so.
    pub async fn pass_on(&self, function: &str, event: &Value) -> Result<(), AwsError> {
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
