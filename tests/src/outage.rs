//! An outage for one caller: selected requests are answered with an error, with or without an effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// The failing requests: those whose body or target contains `containing`, by their number among those, counted from 1.
#[derive(Debug, Clone)]
pub struct Outage {
    /// A part of the body or of `X-Amz-Target`; empty for every request.
    pub containing: &'static str,
    /// The first failing request.
    pub first: usize,
    /// The last failing request.
    pub last: usize,
    /// The error code of the answers; `TransactionConflict` is sent as the reason of a cancelled transaction.
    pub code: &'static str,
    /// Whether the requests take effect, so that only the answer is lost.
    pub takes_effect: bool,
}

#[derive(Debug)]
struct Refusing {
    inner: SharedHttpClient,
    outage: Outage,
    received: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct RefusingConnector {
    inner: SharedHttpConnector,
    outage: Outage,
    received: Arc<AtomicUsize>,
}

/// `inner` during an outage, and the number of selected requests so far.
pub fn during(inner: SharedHttpClient, outage: Outage) -> (SharedHttpClient, Arc<AtomicUsize>) {
    let received = Arc::new(AtomicUsize::new(0));
    (SharedHttpClient::new(Refusing { inner, outage, received: Arc::clone(&received) }), received)
}

impl HttpClient for Refusing {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(RefusingConnector {
            inner,
            outage: self.outage.clone(),
            received: Arc::clone(&self.received),
        })
    }
}

impl HttpConnector for RefusingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Outage { containing, first, last, code, takes_effect } = self.outage.clone();
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_selected = body.contains(containing) || target.contains(containing);
        let number = if is_selected { self.received.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            if !(first..=last).contains(&number) {
                return inner.call(request).await;
            }
            if takes_effect {
                inner.call(request).await?;
            }
            // A cancelled transaction names the conflicting write, here the first.
            let (code, reasons) = match code {
                "TransactionConflict" => ("TransactionCanceledException", "[{\"Code\":\"TransactionConflict\"}]"),
                code => (code, "[]"),
            };
            let kind = format!("com.amazonaws#{code}");
            let body = format!("{{\"__type\":\"{kind}\",\"message\":\"outage\",\"CancellationReasons\":{reasons}}}");
            let answer =
                http::Response::builder().status(400).header("x-amzn-errortype", code).body(SdkBody::from(body));
            Ok(HttpResponse::try_from(answer.expect("a response")).expect("a response"))
        })
    }
}
