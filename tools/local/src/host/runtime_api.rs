//! Lambda's Runtime API (2018-06-01), with one base path per process.
//!
//! `lambda_runtime` keeps the path of `AWS_LAMBDA_RUNTIME_API` if the value has a scheme, so one listener serves all
//! processes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{FunctionError, lock};

/// The largest response that Lambda accepts from a function, in bytes.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;

pub(super) type Answer = Result<Value, FunctionError>;

/// One event for a process.
pub(super) struct Job {
    pub(super) request_id: String,
    pub(super) body: String,
    pub(super) arn: String,
    pub(super) timeout: Duration,
    /// Receives the deadline when the process takes the event: Lambda's timeout starts there.
    pub(super) taken: oneshot::Sender<Instant>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The invocation queue of one process.
#[derive(Default)]
pub(super) struct InvocationQueue {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    waiting: tokio::sync::Mutex<Option<mpsc::Receiver<Job>>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
    init_error: Mutex<Option<FunctionError>>,
}

impl InvocationQueue {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel(1);
        Self { jobs: Mutex::new(Some(sender)), waiting: tokio::sync::Mutex::new(Some(receiver)), ..Self::default() }
    }

    /// Queues the event for the process's next request. An instance has one event at a time, so the queue has room.
    pub(super) fn put(&self, job: Job) -> Result<(), FunctionError> {
        let sender = lock(&self.jobs).clone();
        sender
            .and_then(|sender| sender.try_send(job).ok())
            .ok_or_else(|| FunctionError::new("ServiceException", "the process has not taken an earlier event"))
    }

    /// The init error that the process reported, if any.
    pub(super) fn init_error(&self) -> Option<FunctionError> {
        lock(&self.init_error).clone()
    }

    /// Ends the current event with the process's answer.
    fn close(&self, request_id: &str, answer: Answer) -> StatusCode {
        let mut current = lock(&self.current);
        match current.take() {
            Some((id, sender)) if id == request_id => {
                // After the deadline the host no longer waits for the answer.
                let _unreceived = sender.send(answer);
                StatusCode::ACCEPTED
            }
            other => {
                *current = other;
                StatusCode::FORBIDDEN // as Lambda answers an id that is not the current one
            }
        }
    }
}

type Queues = Arc<Mutex<BTreeMap<String, Arc<InvocationQueue>>>>;

/// The server; dropping this ends it.
pub(super) struct RuntimeApi {
    address: String,
    queues: Queues,
    server: JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?.to_string();
        let queues = Queues::default();
        let root = "/.rt/{instance}/2018-06-01/runtime";
        let app = Router::new()
            .route(&format!("{root}/invocation/next"), get(next))
            .route(&format!("{root}/invocation/{{request}}/response"), post(response))
            .route(&format!("{root}/invocation/{{request}}/error"), post(error))
            .route(&format!("{root}/init/error"), post(init_error))
            .layer(DefaultBodyLimit::max(ANSWER_LIMIT))
            .with_state(Arc::clone(&queues));
        let server = tokio::spawn(async move {
            // axum retries every listener error and never returns.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self { address, queues, server })
    }

    /// Creates a queue and returns its registration, which removes it when dropped, and its `AWS_LAMBDA_RUNTIME_API`.
    pub(super) fn register(&self) -> (Registration, String) {
        let id = crate::request_id::next();
        let queue = Arc::new(InvocationQueue::new());
        lock(&self.queues).insert(id.clone(), Arc::clone(&queue));
        let base = format!("http://{}/.rt/{id}", self.address);
        (Registration { id, queue, queues: Arc::clone(&self.queues) }, base)
    }
}

/// A process's registration at the Runtime API.
pub(super) struct Registration {
    id: String,
    pub(super) queue: Arc<InvocationQueue>,
    queues: Queues,
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.queues).remove(&self.id);
        // Wakes a process that waits for its next event with the status GONE.
        lock(&self.queue.jobs).take();
    }
}

fn find(queues: &Queues, instance: &str) -> Result<Arc<InvocationQueue>, StatusCode> {
    lock(queues).get(instance).cloned().ok_or(StatusCode::GONE)
}

async fn next(State(queues): State<Queues>, Path(instance): Path<String>) -> Result<Response, StatusCode> {
    let queue = find(&queues, &instance)?;
    let mut waiting = queue.waiting.lock().await;
    let job = match waiting.as_mut() {
        Some(receiver) => receiver.recv().await.ok_or(StatusCode::GONE)?,
        None => return Err(StatusCode::GONE),
    };
    *lock(&queue.current) = Some((job.request_id.clone(), job.answer));
    // If the host has stopped waiting for the process's start, the event is stale and the process is about to be
    // killed.
    job.taken.send(Instant::now() + job.timeout).map_err(|_| StatusCode::GONE)?;
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + job.timeout;
    let headers = [
        ("lambda-runtime-aws-request-id", job.request_id.clone()),
        ("lambda-runtime-deadline-ms", epoch.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", job.arn),
        ("lambda-runtime-trace-id", trace_id(epoch.as_secs(), &job.request_id)),
        ("content-type", "application/json".to_owned()),
    ];
    Ok((headers, job.body).into_response())
}

/// An X-Ray trace header, never sampled: `Root=1-<8 hex of time>-<24 hex>;Parent=<16 hex>;Sampled=0`.
fn trace_id(seconds: u64, request_id: &str) -> String {
    let hex: String = request_id.chars().filter(char::is_ascii_hexdigit).collect();
    let tail: String = hex.chars().skip(8).take(24).collect();
    let parent: String = hex.chars().take(16).collect();
    format!("Root=1-{seconds:08x}-{tail:0>24};Parent={parent:0>16};Sampled=0")
}

async fn response(
    State(queues): State<Queues>,
    Path((instance, request)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let queue = find(&queues, &instance)?;
    let answer = if body.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_slice(&body)
            .map_err(|error| FunctionError::new("Runtime.InvalidResponse", format!("answer is not JSON: {error}")))
    };
    Ok(queue.close(&request, answer))
}

async fn error(
    State(queues): State<Queues>,
    Path((instance, request)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let queue = find(&queues, &instance)?;
    Ok(queue.close(&request, Err(reported(&headers, &body))))
}

async fn init_error(
    State(queues): State<Queues>,
    Path(instance): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let queue = find(&queues, &instance)?;
    *lock(&queue.init_error) = Some(reported(&headers, &body));
    Ok(StatusCode::ACCEPTED)
}

/// Reads `{"errorType": …, "errorMessage": …}`; any other body becomes the message.
fn reported(headers: &HeaderMap, body: &[u8]) -> FunctionError {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| parsed.get(name).and_then(Value::as_str).map(str::to_owned);
    let header =
        || headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    FunctionError {
        error_type: field("errorType").or_else(header).unwrap_or_else(|| "Runtime.Unknown".to_owned()),
        message: field("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_from_body_and_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(
            reported(&headers, br#"{"errorType":"Error","errorMessage":"why"}"#),
            FunctionError::new("Error", "why")
        );
        assert_eq!(reported(&headers, b"plain"), FunctionError::new("Runtime.Unknown", "plain"));
        headers.insert("lambda-runtime-function-error-type", "unhandled".parse().unwrap());
        assert_eq!(reported(&headers, b"plain"), FunctionError::new("unhandled", "plain"));
    }

    #[test]
    fn trace_ids_have_the_xray_format() {
        assert_eq!(
            trace_id(0x6565_6565, "00000001-0002-4000-8000-00000000000a"),
            "Root=1-65656565-00024000800000000000000a;Parent=0000000100024000;Sampled=0"
        );
    }
}
