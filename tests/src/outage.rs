//! AWS on a bad day for one caller: requests that a test picks are answered with a refusal, before or after they did their work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// Which requests are refused: those whose body or target holds `holding`, by their number among those, from 1.
#[derive(Debug, Clone)]
pub struct Outage {
    /// A part of the body or of `X-Amz-Target`; empty for every request.
    pub holding: &'static str,
    /// The first that is refused.
    pub first: usize,
    /// The last that is refused.
    pub last: usize,
    /// The error code they are answered with; `TransactionConflict` as the reason of a cancelled transaction.
    pub code: &'static str,
    /// Whether they do their work all the same, so that only the answer is lost.
    pub works: bool,
}

#[derive(Debug)]
struct Refusing {
    inner: SharedHttpClient,
    outage: Outage,
    met: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct RefusingConnector {
    inner: SharedHttpConnector,
    outage: Outage,
    met: Arc<AtomicUsize>,
}

/// `inner` during an outage, and the number of requests it was about so far.
pub fn during(inner: SharedHttpClient, outage: Outage) -> (SharedHttpClient, Arc<AtomicUsize>) {
    let met = Arc::new(AtomicUsize::new(0));
    (SharedHttpClient::new(Refusing { inner, outage, met: Arc::clone(&met) }), met)
}

impl HttpClient for Refusing {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(RefusingConnector { inner, outage: self.outage.clone(), met: Arc::clone(&self.met) })
    }
}

impl HttpConnector for RefusingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Outage { holding, first, last, code, works } = self.outage.clone();
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let is_meant = body.contains(holding) || target.contains(holding);
        let number = if is_meant { self.met.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            if !(first..=last).contains(&number) {
                return inner.call(request).await;
            }
            if works {
                inner.call(request).await?;
            }
            // A cancelled transaction says which of its writes was in the way; here the first.
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
