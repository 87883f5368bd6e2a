//! Clients for calls that change something: each request is sent once, and counted.
//!
//! The SDK's own retries hide what came of the first request: where that one was carried out and its answer was lost, the
//! second one may well be refused because of it. Whoever repeats a write must therefore know of every request.

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

/// How many requests had been sent at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl<T: ?Sized> Writer<T> {
    /// Clients over `config`, with its retries off.
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

    /// Whether a call that began at `mark` may have changed something although it failed. It surely has not where one request
    /// was sent and the answer to it says so.
    pub fn may_have_arrived(&self, mark: Mark, error: &AwsError) -> bool {
        let sent = self.sent.load(Ordering::SeqCst).saturating_sub(mark.0);
        match error {
            AwsError::Call(error) => sent > 1 || !error.did_nothing(),
            // The service answered, and not as it must.
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
