//! Lost answers: selected requests take effect, and their caller gets no answer or an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// The reply to a request.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// The request takes effect, and the connection is closed.
    Lost,
    /// The request takes effect, and is answered with this status and code, in the XML of the query protocol.
    AppliedWithError(u16, &'static str),
    /// The request has no effect, and is answered with this status and code.
    Refused(u16, &'static str),
}

#[derive(Debug, Clone)]
struct Lossy<I> {
    inner: I,
    containing: &'static str,
    script: &'static [Reply],
    received: Arc<AtomicUsize>,
}

/// `inner`, except that requests whose body contains `containing` get these replies in order, and then the real ones.
/// Also returns the number of such requests so far.
pub fn lossy(
    inner: SharedHttpClient,
    containing: &'static str,
    script: &'static [Reply],
) -> (SharedHttpClient, Arc<AtomicUsize>) {
    let received = Arc::new(AtomicUsize::new(0));
    (SharedHttpClient::new(Lossy { inner, containing, script, received: Arc::clone(&received) }), received)
}

impl HttpClient for Lossy<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let Self { containing, script, received, .. } = self.clone();
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Lossy { inner, containing, script, received })
    }
}

impl HttpConnector for Lossy<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        if !body.contains(self.containing) {
            return self.inner.call(request);
        }
        let reply = self.script.get(self.received.fetch_add(1, Ordering::SeqCst)).copied();
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            match reply {
                None => inner.call(request).await,
                Some(Reply::Lost) => {
                    inner.call(request).await?;
                    Err(ConnectorError::io("connection closed".into()))
                }
                Some(Reply::AppliedWithError(status, code)) => {
                    inner.call(request).await?;
                    Ok(answer(status, code))
                }
                Some(Reply::Refused(status, code)) => Ok(answer(status, code)),
            }
        })
    }
}

fn answer(status: u16, code: &str) -> HttpResponse {
    let body =
        format!("<ErrorResponse><Error><Code>{code}</Code><Message>as scripted</Message></Error></ErrorResponse>");
    let answer = http::Response::builder().status(status).body(SdkBody::from(body));
    HttpResponse::try_from(answer.expect("a response")).expect("a response")
}
