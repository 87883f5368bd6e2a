//! Answers that never come: requests that a test picks are carried out, and their caller hears nothing, or something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// What the caller hears of a request.
#[derive(Debug, Clone, Copy)]
pub enum Hears {
    /// It is carried out, and the connection is closed.
    Nothing,
    /// It is carried out, and answered with this status and code, in the XML of the query protocol.
    Error(u16, &'static str),
    /// It is not carried out, and answered so.
    InjectedError(u16, &'static str),
}

#[derive(Debug, Clone)]
struct Losing<I> {
    inner: I,
    holding: &'static str,
    script: &'static [Hears],
    met: Arc<AtomicUsize>,
}

/// `inner`, but for requests whose body holds `holding`: what their caller hears, one after the other, then the truth. And how
/// many such requests there were so far.
pub fn losing(
    inner: SharedHttpClient,
    holding: &'static str,
    script: &'static [Hears],
) -> (SharedHttpClient, Arc<AtomicUsize>) {
    let met = Arc::new(AtomicUsize::new(0));
    (SharedHttpClient::new(Losing { inner, holding, script, met: Arc::clone(&met) }), met)
}

impl HttpClient for Losing<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let Self { holding, script, met, .. } = self.clone();
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Losing { inner, holding, script, met })
    }
}

impl HttpConnector for Losing<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        if !body.contains(self.holding) {
            return self.inner.call(request);
        }
        let heard = self.script.get(self.met.fetch_add(1, Ordering::SeqCst)).copied();
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            match heard {
                None => inner.call(request).await,
                Some(Hears::Nothing) => {
                    inner.call(request).await?;
                    Err(ConnectorError::io("connection closed".into()))
                }
                Some(Hears::Error(status, code)) => {
                    inner.call(request).await?;
                    Ok(answer(status, code))
                }
                Some(Hears::InjectedError(status, code)) => Ok(answer(status, code)),
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
