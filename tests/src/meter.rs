//! The number and size of answers to queries and single reads of a table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The counters of reads.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

impl Meter {
    /// The number of answered queries and reads, and their total size in bytes.
    pub fn read(&self) -> (usize, usize) {
        (self.0.requests.load(Ordering::SeqCst), self.0.bytes.load(Ordering::SeqCst))
    }
}

#[derive(Debug)]
struct Metered(SharedHttpClient, Meter);

#[derive(Debug)]
struct MeteredConnector(SharedHttpConnector, Meter);

/// `inner`, with DynamoDB's answers to reads counted.
pub fn metered(inner: SharedHttpClient) -> (SharedHttpClient, Meter) {
    let meter = Meter::default();
    (SharedHttpClient::new(Metered(inner, meter.clone())), meter)
}

impl HttpClient for Metered {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(MeteredConnector(self.0.http_connector(settings, components), self.1.clone()))
    }
}

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let reads = ["Query", "GetItem"].iter().any(|it| target.starts_with("DynamoDB") && target.ends_with(it));
        let (inner, counts) = (self.0.clone(), Arc::clone(&self.1.0));
        HttpConnectorFuture::new(async move {
            let answer = inner.call(request).await?;
            if reads {
                let length = answer.headers().get("content-length").and_then(|it| it.parse::<usize>().ok());
                counts.requests.fetch_add(1, Ordering::SeqCst);
                counts.bytes.fetch_add(length.expect("a length"), Ordering::SeqCst);
            }
            Ok(answer)
        })
    }
}
