//! Death at any step: an HTTP client, and a counter that the made-up service shares, which stop a task for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// How many steps something lives. A call is two: before it is sent, and after it was answered.
#[derive(Debug, Clone)]
pub struct Life(Arc<Steps>);

#[derive(Debug)]
struct Steps {
    taken: AtomicUsize,
    last: usize,
    over: AtomicBool,
}

impl Life {
    /// A life that ends at step `last`, counted from 1.
    pub fn of(last: usize) -> Self {
        Self(Arc::new(Steps { taken: AtomicUsize::new(0), last, over: AtomicBool::new(false) }))
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.0.over.load(Ordering::SeqCst)
    }

    /// Takes a step; the last one never ends.
    pub async fn step(&self) {
        let step = self.0.taken.fetch_add(1, Ordering::SeqCst) + 1;
        if step >= self.0.last {
            self.0.over.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }
}

/// An HTTP client whose calls are steps of a life.
#[derive(Debug)]
struct CrashPoint {
    inner: SharedHttpClient,
    life: Life,
}

#[derive(Debug)]
struct MortalConnector {
    inner: SharedHttpConnector,
    life: Life,
}

/// `inner`, as long as `life` lasts.
pub fn crash_point(inner: SharedHttpClient, life: &Life) -> SharedHttpClient {
    SharedHttpClient::new(CrashPoint { inner, life: life.clone() })
}

impl HttpClient for CrashPoint {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(MortalConnector { inner, life: self.life.clone() })
    }
}

impl HttpConnector for MortalConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, life) = (self.inner.clone(), self.life.clone());
        HttpConnectorFuture::new(async move {
            life.step().await;
            let answer = inner.call(request).await;
            life.step().await;
            answer
        })
    }
}
