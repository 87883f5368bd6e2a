//! Clients for calls that change resources: each request is sent once and counted.
//!
//! The SDK's own retries hide the result of the first request: if it was applied but its answer was lost, the second
//! one may be refused because of it. Code that retries a write must therefore know every request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;

use crate::AwsError;

/// Clients that send each request once.
pub struct Writer<T: ?Sized> {
    clients: Arc<T>,
    sent: Arc<AtomicUsize>,
}

/// The number of requests sent so far.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl<T: ?Sized> Writer<T> {
    /// Clients with `config` and without retries.
    pub fn new(connect: &dyn Fn(&SdkConfig) -> Arc<T>, config: &SdkConfig) -> Self {
        let sent = Arc::new(AtomicUsize::new(0));
        let mut builder = config.to_builder().retry_config(RetryConfig::disabled());
        if let Some(inner) = config.http_client() {
            builder = builder.http_client(Counting { inner, sent: Arc::clone(&sent) });
        }
        Self { clients: connect(&builder.build()), sent }
    }

    /// The clients.
    pub fn clients(&self) -> &T {
        &self.clients
    }

    /// Marks the moment before a call.
    pub fn mark(&self) -> Mark {
        Mark(self.sent.load(Ordering::SeqCst))
    }

    /// Whether a failed call that began at `mark` may have changed something. It has not if exactly one request was
    /// sent and its answer says so.
    pub fn may_have_arrived(&self, mark: Mark, error: &AwsError) -> bool {
        let sent = self.sent.load(Ordering::SeqCst).saturating_sub(mark.0);
        match error {
            AwsError::Call(error) => sent > 1 || !error.did_nothing(),
            // The service answered, but with an unexpected shape.
            AwsError::Shape(_) => true,
        }
    }
}

#[derive(Debug)]
struct Counting {
    inner: SharedHttpClient,
    sent: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct CountingConnector {
    inner: SharedHttpConnector,
    sent: Arc<AtomicUsize>,
}

impl HttpClient for Counting {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(CountingConnector { inner, sent: Arc::clone(&self.sent) })
    }
}

impl HttpConnector for CountingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.inner.call(request)
    }
}
