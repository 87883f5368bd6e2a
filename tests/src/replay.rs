//! Replayed AWS services: canned answers in order, and a record of every request.

use std::time::Duration;

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use rectify_compliance::Region;
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

/// Answers, given in order.
#[derive(Debug, Clone)]
pub struct Replay(StaticReplayClient);

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    /// HTTP 200 with this body.
    pub fn ok(body: &Value) -> Self {
        Self { status: 200, body: body.to_string() }
    }

    /// EC2's answer to this operation, with this content.
    pub fn ec2(operation: &str, content: &str) -> Self {
        let body = format!(
            "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{content}</{operation}Response>"
        );
        Self { status: 200, body }
    }

    /// HTTP 400 with this error code, as EC2 sends it.
    pub fn refused_by_ec2(code: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>as scripted</Message></Error>");
        Self { status: 400, body: format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>") }
    }

    /// HTTP 400 with this error code, as STS sends it.
    pub fn refused_by_sts(code: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>as scripted</Message></Error>");
        Self { status: 400, body: format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>") }
    }

    /// `PutEvaluations` accepted every evaluation.
    pub fn stored() -> Self {
        Self::ok(&json!({"FailedEvaluations": []}))
    }

    /// Lambda accepted an asynchronous event.
    pub fn accepted() -> Self {
        Self { status: 202, body: String::new() }
    }

    /// The same with a string in its body replaced.
    #[must_use]
    pub fn replaced(self, from: &str, to: &str) -> Self {
        Self { body: self.body.replace(&format!("\"{from}\""), &format!("\"{to}\"")), ..self }
    }

    /// HTTP 400 with this error code.
    pub fn refused(code: &str) -> Self {
        Self::failed(400, code)
    }

    /// This HTTP status with this error code.
    pub fn failed(status: u16, code: &str) -> Self {
        Self { status, body: json!({"__type": code, "message": "as scripted"}).to_string() }
    }
}

impl Replay {
    /// These answers, in order.
    pub fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let event = |answer: Answer| {
            ReplayEvent::new(
                http::Request::builder().uri("https://config.us-east-1.amazonaws.com/").body(SdkBody::empty()).unwrap(),
                http::Response::builder().status(answer.status).body(SdkBody::from(answer.body)).unwrap(),
            )
        };
        Self(StaticReplayClient::new(answers.into_iter().map(event).collect()))
    }

    /// A function's SDK configuration for these answers, with the SDK's default number of retries.
    pub fn sdk(&self, region: &str) -> SdkConfig {
        let environment =
            Environment::of([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", region)]);
        let config =
            sdk_config_over(&environment, &Region::new(region), SharedHttpClient::new(self.0.clone())).unwrap();
        // The same retries, without the wait of a real service.
        let retries = config.retry_config().unwrap().clone().with_initial_backoff(Duration::from_millis(1));
        config.to_builder().retry_config(retries).build()
    }

    /// The hosts called so far.
    pub fn hosts(&self) -> Vec<String> {
        let host = |uri: &str| uri.split('/').nth(2).unwrap_or_default().to_owned();
        self.0.actual_requests().map(|request| host(request.uri())).collect()
    }

    /// The bodies of the requests so far, for services that take forms: `Action=DescribeVpcs&Version=…`.
    pub fn forms(&self) -> Vec<String> {
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        self.0.actual_requests().map(|request| text(request.body().bytes().unwrap())).collect()
    }

    /// The requests so far: operation and body.
    pub fn requests(&self) -> Vec<(String, Value)> {
        let read = |request: &aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            match request.headers().get("x-amz-target") {
                Some(target) => (target.split_once('.').unwrap().1.to_owned(), body),
                // Lambda's only operation here: `POST /2015-03-31/functions/<ARN>/invocations`.
                None => ("Invoke".to_owned(), body),
            }
        };
        self.0.actual_requests().map(read).collect()
    }
}
