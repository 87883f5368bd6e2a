//! Answers that several controls of a scan need, requested once.
//!
//! Below the SDK: two calls are the same if their requests are, whichever control makes them. For reads only: a request
//! that writes must reach the service each time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::{Headers, StatusCode};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// How much of the answers is kept. Later ones are requested again each time.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Headers that differ between two requests for the same. That of the signature is replaced by its scope.
const VARYING: [&str; 8] = [
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "date",
    "user-agent",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
];

/// The answers of one run.
#[derive(Debug, Clone, Default)]
pub struct SharedReads(Arc<Answers>);

#[derive(Debug, Default)]
struct Answers {
    by_request: Mutex<HashMap<Key, Arc<OnceCell<Answer>>>>,
    bytes: AtomicUsize,
}

/// The hash of a request, with the credentials, service and region that it is signed for.
type Key = [u8; 32];

/// An answer that the service would give again.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: Headers,
    body: Vec<u8>,
}

/// An answer that the next request may improve on.
enum Failure {
    Answer(Box<HttpResponse>),
    Connector(ConnectorError),
}

impl SharedReads {
    /// The same configuration, whose clients share these answers; unchanged if it has no HTTP client.
    #[must_use]
    pub fn over(&self, config: &SdkConfig) -> SdkConfig {
        let Some(inner) = config.http_client() else { return config.clone() };
        config.to_builder().http_client(Client { inner, answers: Arc::clone(&self.0) }).build()
    }
}

impl Answers {
    /// The place of an answer; none for a new one if there is no room.
    fn cell(&self, key: Key) -> Option<Arc<OnceCell<Answer>>> {
        let mut cells = self.by_request.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = self.bytes.load(Ordering::Relaxed) >= MAX_BYTES;
        if is_full { cells.get(&key).cloned() } else { Some(Arc::clone(cells.entry(key).or_default())) }
    }
}

/// None for a request whose body is a stream.
fn key(request: &HttpRequest) -> Option<Key> {
    let mut hash = Sha256::new();
    // With its length, since a part may contain any separator.
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    };
    add(request.method().as_bytes());
    add(request.uri().as_bytes());
    add(request.body().bytes()?);
    for part in scope(request.headers().get("authorization").unwrap_or_default()) {
        add(part.as_bytes());
    }
    let mut headers: Vec<_> = request.headers().iter_bytes().filter(|(name, _)| !VARYING.contains(name)).collect();
    headers.sort_unstable();
    for (name, value) in headers {
        add(name.as_bytes());
        add(value);
    }
    Some(hash.finalize().into())
}

/// Access key, region and service of a signature, without its date: an overridden endpoint has no region.
fn scope(authorization: &str) -> impl Iterator<Item = &str> {
    let scope = authorization.split_once("Credential=").map_or("", |(_, rest)| rest);
    let scope = scope.split_once(',').map_or(scope, |(scope, _)| scope);
    scope.split('/').enumerate().filter(|(at, _)| *at != 1).map(|(_, part)| part)
}

/// S3 and IAM report with 404 that there is no policy or profile, which is an answer like any other.
fn is_kept(status: StatusCode) -> bool {
    status.is_success() || status.as_u16() == 404
}

impl Answer {
    async fn read(mut response: HttpResponse) -> Result<Self, Failure> {
        if !is_kept(response.status()) {
            return Err(Failure::Answer(Box::new(response)));
        }
        let body = ByteStream::new(response.take_body()).collect().await;
        let body = body.map_err(|error| Failure::Connector(ConnectorError::io(error.into())))?;
        Ok(Self { status: response.status(), headers: response.headers().clone(), body: body.to_vec() })
    }

    fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status, SdkBody::from(self.body.clone()));
        *response.headers_mut() = self.headers.clone();
        response
    }
}

#[derive(Debug)]
struct Client {
    inner: SharedHttpClient,
    answers: Arc<Answers>,
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    answers: Arc<Answers>,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, answers: Arc::clone(&self.answers) })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(cell) = key(&request).and_then(|key| self.answers.cell(key)) else { return self.inner.call(request) };
        let (inner, answers) = (self.inner.clone(), Arc::clone(&self.answers));
        HttpConnectorFuture::new(async move {
            // Requests for the same wait for the first; if it fails, the next one is sent.
            let read = async || {
                let answer = Answer::read(inner.call(request).await.map_err(Failure::Connector)?).await?;
                answers.bytes.fetch_add(answer.body.len(), Ordering::Relaxed);
                Ok::<_, Failure>(answer)
            };
            match cell.get_or_try_init(read).await {
                Ok(answer) => Ok(answer.response()),
                Err(Failure::Answer(answer)) => Ok(*answer),
                Err(Failure::Connector(error)) => Err(error),
            }
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const EC2: &str =
        "AWS4-HMAC-SHA256 Credential=AKID/20260304/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=a";

    fn request(headers: &[(&'static str, &'static str)], body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri("http://127.0.0.1:1/").unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, *value);
        }
        request
    }

    /// Answers each request with the next status, and counts them.
    #[derive(Debug, Clone)]
    struct Service(Arc<Mutex<Vec<u16>>>);

    impl HttpConnector for Service {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            let status = self.0.lock().unwrap().pop().unwrap();
            HttpConnectorFuture::new(async move {
                // The other requests arrive meanwhile.
                tokio::task::yield_now().await;
                let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(status.to_string()));
                answer.headers_mut().insert("x-id", "1");
                Ok(answer)
            })
        }
    }

    /// The answers to requests with these bodies, sent at the same time, and how many were not sent.
    async fn answers<const N: usize>(statuses: &[u16], bodies: [&str; N]) -> (Vec<String>, usize) {
        let service = Service(Arc::new(Mutex::new(statuses.iter().rev().copied().collect())));
        let connector = Connector { inner: SharedHttpConnector::new(service.clone()), answers: Arc::default() };
        let calls = bodies.map(|body| connector.call(request(&[("authorization", EC2)], body)));
        let mut answers = Vec::new();
        for answer in futures_util::future::join_all(calls).await {
            let answer = answer.unwrap();
            assert_eq!(answer.headers().get("x-id"), Some("1"));
            answers.push(String::from_utf8(answer.body().bytes().unwrap().to_vec()).unwrap());
        }
        let left = service.0.lock().unwrap().len();
        (answers, left)
    }

    #[tokio::test]
    async fn equal_requests_are_sent_once_and_failures_are_not_shared() {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(answers(&[200, 500], ["a", "a", "a"]).await, (texts(&["200", "200", "200"]), 1));
        assert_eq!(answers(&[404, 500], ["a", "a"]).await, (texts(&["404", "404"]), 1));
        assert_eq!(answers(&[200, 201], ["a", "b"]).await, (texts(&["200", "201"]), 0));
        for status in [403, 429, 503] {
            let expected = (texts(&[&status.to_string(), "200", "200"]), 0);
            assert_eq!(answers(&[status, 200], ["a", "a", "a"]).await, expected);
        }
    }

    #[test]
    fn requests_for_the_same_have_one_key_and_others_do_not() {
        let first = [("authorization", EC2), ("x-amz-date", "20260304T050607Z"), ("x-amz-target", "T.A")];
        let later =
            "AWS4-HMAC-SHA256 Credential=AKID/20260305/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=b";
        let same = [("x-amz-target", "T.A"), ("authorization", later), ("amz-sdk-invocation-id", "2")];
        let expected = key(&request(&first, "a")).unwrap();
        assert_eq!(key(&request(&same, "a")), Some(expected));
        let signed = |authorization: &'static str| [("authorization", authorization), ("x-amz-target", "T.A")];
        let others = [
            request(&first, "b"),
            request(&[("authorization", EC2), ("x-amz-target", "T.B")], "a"),
            request(&[("authorization", EC2), ("x-amz-target", "T.A"), ("x-amz-account-id", "1")], "a"),
            request(&signed("AWS4-HMAC-SHA256 Credential=AKID/20260304/us-east-1/ec2/aws4_request, Signature=a"), "a"),
            request(&signed("AWS4-HMAC-SHA256 Credential=AKID/20260304/eu-west-1/rds/aws4_request, Signature=a"), "a"),
            request(&signed("AWS4-HMAC-SHA256 Credential=OTHER/20260304/eu-west-1/ec2/aws4_request, Signature=a"), "a"),
        ];
        for other in others {
            assert_ne!(key(&other), Some(expected), "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_full_store_keeps_what_it_has_and_takes_no_more() {
        let service = Service(Arc::new(Mutex::new(vec![203, 202, 201])));
        let connector = Connector { inner: SharedHttpConnector::new(service), answers: Arc::default() };
        let call = async |body: &'static str| {
            connector.call(request(&[("authorization", EC2)], body)).await.unwrap().status().as_u16()
        };
        assert_eq!(call("a").await, 201);
        connector.answers.bytes.store(MAX_BYTES, Ordering::Relaxed);
        assert_eq!((call("a").await, call("b").await, call("b").await), (201, 202, 203));
    }
}
