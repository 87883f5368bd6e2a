//! S3 returns bucket policies with the same meaning and with lists in another order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

/// Reverses every list in every `every`th answer to `GetBucketPolicy`, counted from 1.
#[derive(Debug, Clone)]
pub struct Reordering {
    inner: SharedHttpClient,
    every: usize,
    received: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct ReorderingConnector {
    inner: SharedHttpConnector,
    every: usize,
    received: Arc<AtomicUsize>,
}

/// `inner`, with every `every`th answer to `GetBucketPolicy` in another order.
pub fn reordering(inner: SharedHttpClient, every: usize) -> SharedHttpClient {
    SharedHttpClient::new(Reordering { inner, every, received: Arc::default() })
}

/// The same policy with every list reversed, and lists of one element replaced by the element.
pub fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(members) => match members.as_slice() {
            [only] => reversed(only),
            _ => members.iter().rev().map(reversed).collect(),
        },
        Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), reversed(value))).collect(),
        other => other.clone(),
    }
}

impl HttpClient for Reordering {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(ReorderingConnector { inner, every: self.every, received: Arc::clone(&self.received) })
    }
}

impl HttpConnector for ReorderingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let query = request.uri().split_once('?').map_or("", |(_, query)| query);
        let is_selected = request.method() == "GET" && query.split('&').any(|it| it == "policy" || it == "policy=");
        let number = if is_selected { self.received.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let is_reversed = is_selected && number.is_multiple_of(self.every);
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            let mut response = inner.call(request).await?;
            if is_reversed && response.status().is_success() {
                let body = std::mem::replace(response.body_mut(), SdkBody::empty());
                let text = ByteStream::new(body).collect().await.expect("a policy").into_bytes();
                let text = reversed(&serde_json::from_slice(&text).expect("a policy")).to_string();
                response.headers_mut().insert("content-length", text.len().to_string());
                *response.body_mut() = SdkBody::from(text);
            }
            Ok(response)
        })
    }
}
