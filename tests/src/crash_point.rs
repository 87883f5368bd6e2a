//! Crash at any step: an HTTP client and a counter, shared with the fake service, that stop a task forever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// The step at which a task crashes. A call has two steps: before it is sent, and after it is answered.
#[derive(Debug, Clone)]
pub struct CrashPoint(Arc<Steps>);

#[derive(Debug)]
struct Steps {
    taken: AtomicUsize,
    last: usize,
    reached: AtomicBool,
}

impl CrashPoint {
    /// A crash at step `last`, counted from 1.
    pub fn at(last: usize) -> Self {
        Self(Arc::new(Steps { taken: AtomicUsize::new(0), last, reached: AtomicBool::new(false) }))
    }

    /// Whether the task has crashed.
    pub fn is_reached(&self) -> bool {
        self.0.reached.load(Ordering::SeqCst)
    }

    /// Takes a step; the last one never returns.
    pub async fn step(&self) {
        let step = self.0.taken.fetch_add(1, Ordering::SeqCst) + 1;
        if step >= self.0.last {
            self.0.reached.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }
}

/// An HTTP client whose calls count as steps.
#[derive(Debug)]
struct CrashingClient {
    inner: SharedHttpClient,
    crash_point: CrashPoint,
}

#[derive(Debug)]
struct CrashingConnector {
    inner: SharedHttpConnector,
    crash_point: CrashPoint,
}

/// `inner`, until the crash point is reached.
pub fn crashing(inner: SharedHttpClient, crash_point: &CrashPoint) -> SharedHttpClient {
    SharedHttpClient::new(CrashingClient { inner, crash_point: crash_point.clone() })
}

impl HttpClient for CrashingClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(CrashingConnector { inner, crash_point: self.crash_point.clone() })
    }
}

impl HttpConnector for CrashingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, crash_point) = (self.inner.clone(), self.crash_point.clone());
        HttpConnectorFuture::new(async move {
            crash_point.step().await;
            let answer = inner.call(request).await;
            crash_point.step().await;
            answer
        })
    }
}
