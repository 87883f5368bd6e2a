//! The emulator behind a client that names every call by its operation and refuses the calls that a test selects.
//!
//! AWS Config is answered here, since moto lacks it: it accepts every evaluation and has no earlier results.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use rectify_compliance::Region;
use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_local::proxy::{lambda, rpc, xml_roots};
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::emulator::{ACCOUNT, endpoint, http as plain};

/// S3 operations by method and query key.
const S3: &[(&str, &str, &str)] = &[
    ("GET", "acl", "s3:GetBucketAcl"),
    ("GET", "policyStatus", "s3:GetBucketPolicyStatus"),
    ("GET", "policy", "s3:GetBucketPolicy"),
    ("PUT", "policy", "s3:PutBucketPolicy"),
    ("GET", "ownershipControls", "s3:GetBucketOwnershipControls"),
    ("GET", "publicAccessBlock", "s3:GetPublicAccessBlock"),
    ("PUT", "publicAccessBlock", "s3:PutPublicAccessBlock"),
    ("GET", "tagging", "s3:GetBucketTagging"),
    ("GET", "website", "s3:GetBucketWebsite"),
    ("GET", "encryption", "s3:GetBucketEncryption"),
    ("PUT", "encryption", "s3:PutBucketEncryption"),
    ("GET", "logging", "s3:GetBucketLogging"),
    ("PUT", "logging", "s3:PutBucketLogging"),
    ("GET", "object-lock", "s3:GetObjectLockConfiguration"),
    ("GET", "requestPayment", "s3:GetBucketRequestPayment"),
    ("GET", "location", "s3:GetBucketLocation"),
    ("GET", "versioning", "s3:GetBucketVersioning"),
    ("PUT", "versioning", "s3:PutBucketVersioning"),
    ("GET", "lifecycle", "s3:GetBucketLifecycleConfiguration"),
    ("PUT", "lifecycle", "s3:PutBucketLifecycleConfiguration"),
    ("DELETE", "lifecycle", "s3:DeleteBucketLifecycle"),
];

/// An answer that moto lacks: no access points.
const NO_ACCESS_POINTS: &str = "<ListAccessPointsResult xmlns=\"http://awss3control.amazonaws.com/doc/2018-08-20/\"><AccessPointList/></ListAccessPointsResult>";

/// An answer that moto lacks: the simulated policy allows every role CloudTrail's calls to a log group.
const MAY_WRITE: &str = "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults><member><EvalActionName>logs:CreateLogStream</EvalActionName><EvalDecision>allowed</EvalDecision></member><member><EvalActionName>logs:PutLogEvents</EvalActionName><EvalDecision>allowed</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";

/// The services of ledger and bus: passed through, neither counted nor refused.
const PASSED_THROUGH: [&str; 2] = ["dynamodb", "events"];

/// A call to refuse.
#[derive(Debug, Clone)]
pub struct InjectedError {
    /// The operation; any if absent.
    pub operation: Option<&'static str>,
    /// The number of the call among those, counted from 1.
    pub number: usize,
    /// The error code.
    pub code: &'static str,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    refusals: Vec<InjectedError>,
    evaluations: Vec<Value>,
    /// The access keys that signed them.
    evaluators: Vec<String>,
    /// Physical ids, each with the stack that manages it.
    stacks: Vec<(&'static str, &'static str)>,
}

/// The client that names and refuses calls.
#[derive(Debug, Clone, Default)]
pub struct Services(Arc<Mutex<State>>);

impl Services {
    /// A client that refuses these calls.
    pub fn refusing(refusals: impl IntoIterator<Item = InjectedError>) -> Self {
        let services = Self::default();
        services.state().refusals = refusals.into_iter().collect();
        services
    }

    /// The same, with this resource in a CloudFormation stack.
    #[must_use]
    pub fn in_stack(self, physical_id: &'static str, stack: &'static str) -> Self {
        self.state().stacks.push((physical_id, stack));
        self
    }

    /// A function's SDK configuration with this client.
    pub fn sdk(&self, region: &str) -> SdkConfig {
        let environment = Environment::of([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", endpoint()),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        let http = SharedHttpClient::new(RefusingClient { inner: plain(), services: self.clone() });
        sdk_config_over(&environment, &Region::new(region), http).unwrap()
    }

    /// The calls so far, `service:Operation`, without those to AWS Config, ledger and bus.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// The bodies of all `PutEvaluations`.
    pub fn evaluations(&self) -> Vec<Value> {
        self.state().evaluations.clone()
    }

    /// The access keys with which `PutEvaluations` was called.
    pub fn evaluators(&self) -> Vec<String> {
        self.state().evaluators.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer in place of the emulator's, if there is one.
    fn answer(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let service = service(request);
        if PASSED_THROUGH.contains(&service.as_str()) {
            return None;
        }
        let operation = operation(&service, request);
        let mut state = self.state();
        if service == "config" {
            if operation == "config:PutEvaluations" {
                state.evaluators.push(access_key(request));
                state.evaluations.push(serde_json::from_slice(request.body().bytes().unwrap()).unwrap());
            }
            // A result about the account, of unknown age: one that no longer applies is reported, too.
            let account = json!({"ResourceType": ACCOUNT_TYPE, "ResourceId": ACCOUNT});
            let held = json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": account}, "ComplianceType": "COMPLIANT"});
            return Some(response(200, &json!({"FailedEvaluations": [], "EvaluationResults": [held]}).to_string()));
        }
        state.calls.push(operation.clone());
        let refused = state.refusals.iter().find(|it| {
            let counted = state.calls.iter().filter(|call| it.operation.is_none_or(|name| name == *call)).count();
            it.operation.is_none_or(|name| name == operation) && counted == it.number
        });
        match refused {
            Some(refused) => Some(refusal(&service, request, refused.code)),
            None if operation == "s3control:ListAccessPoints" => Some(response(200, NO_ACCESS_POINTS)),
            None if service == "cloudformation" => Some(stack_of(request, &state.stacks)),
            None if operation == "iam:SimulatePrincipalPolicy" => Some(response(200, MAY_WRITE)),
            None => None,
        }
    }
}

/// The service a request was signed for.
fn service(request: &HttpRequest) -> String {
    let signature = request.headers().get("authorization").unwrap();
    match signature.split('/').nth(3).unwrap() {
        // Signed with the name of the endpoint, which differs from the IAM prefix.
        "monitoring" => "cloudwatch".to_owned(),
        "tagging" => "tag".to_owned(),
        service => service.to_owned(),
    }
}

/// The access key a request was signed with.
fn access_key(request: &HttpRequest) -> String {
    let signature = request.headers().get("authorization").unwrap();
    signature.split_once("Credential=").unwrap().1.split('/').next().unwrap().to_owned()
}

fn operation(service: &str, request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return format!("{service}:{}", target.rsplit('.').next().unwrap());
    }
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
    if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        return format!("{service}:{action}");
    }
    let (path, query) = path_and_query(request);
    if let Some(target) = rpc::target(&path) {
        return format!("{service}:{}", target.rsplit('.').next().unwrap());
    }
    if let Some(rest) = path.strip_prefix("/v20180820/") {
        return match (request.method(), rest) {
            ("GET", "configuration/publicAccessBlock") => "s3control:GetPublicAccessBlock".to_owned(),
            ("PUT", "configuration/publicAccessBlock") => "s3control:PutPublicAccessBlock".to_owned(),
            ("GET", "accesspoint") => "s3control:ListAccessPoints".to_owned(),
            (method, rest) => format!("s3control:{method} {rest}"),
        };
    }
    if service == "lambda" {
        let method = request.method().parse().unwrap();
        let named = lambda::operation(&method, &path);
        return format!("lambda:{}", named.map_or_else(|| format!("{method} {path}"), str::to_owned));
    }
    let keys: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    let known = S3.iter().find(|(method, key, _)| *method == request.method() && keys.contains(key));
    match known {
        Some((_, _, name)) => (*name).to_owned(),
        None if request.method() == "GET" && path == "/" => "s3:ListBuckets".to_owned(),
        None => format!("{service}:{} {path}?{query}", request.method()),
    }
}

fn path_and_query(request: &HttpRequest) -> (String, String) {
    let uri: http::Uri = request.uri().parse().unwrap();
    (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned())
}

/// An answer that moto lacks: the stack of a resource.
fn stack_of(request: &HttpRequest, stacks: &[(&str, &str)]) -> HttpResponse {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap()).into_owned();
    let id = body.split('&').find_map(|pair| pair.strip_prefix("PhysicalResourceId=")).unwrap();
    match stacks.iter().find(|(physical_id, _)| *physical_id == id) {
        Some((_, stack)) => response(
            200,
            &format!(
                "<DescribeStackResourcesResponse><DescribeStackResourcesResult><StackResources><member><StackName>{stack}</StackName><PhysicalResourceId>{id}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResources></DescribeStackResourcesResult></DescribeStackResourcesResponse>"
            ),
        ),
        None => {
            let error =
                format!("<Error><Code>ValidationError</Code><Message>Stack for {id} does not exist</Message></Error>");
            response(400, &format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"))
        }
    }
}

/// An error in the service's protocol.
fn refusal(service: &str, request: &HttpRequest, code: &str) -> HttpResponse {
    let error = format!("<Error><Code>{code}</Code><Message>as scripted</Message></Error>");
    let body = match service {
        "ec2" => format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"),
        "s3" if !path_and_query(request).0.starts_with("/v20180820/") => error,
        "s3" | "iam" | "rds" | "sns" | "sts" | "cloudformation" | "elasticloadbalancing" => {
            format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>")
        }
        _ if rpc::target(&path_and_query(request).0).is_some() => {
            return cbor(403, &json!({"__type": code, "message": "as scripted"}));
        }
        _ => json!({"__type": code, "message": "as scripted"}).to_string(),
    };
    response(403, &body)
}

fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

/// An answer in Smithy RPC v2.
fn cbor(status: u16, body: &Value) -> HttpResponse {
    let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(rpc::to_cbor(body)));
    answer.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    answer
}

/// A call in Smithy RPC v2 as AWS JSON, which moto supports.
fn in_json(request: &HttpRequest) -> Option<HttpRequest> {
    let target = rpc::target(&path_and_query(request).0)?;
    let body = rpc::to_json(request.body().bytes().unwrap()).unwrap().to_string();
    let uri: http::Uri = request.uri().parse().unwrap();
    let call = http::Request::post(format!("http://{}/", uri.authority().unwrap()))
        .header("authorization", request.headers().get("authorization").unwrap())
        .header("x-amz-target", target)
        .header("content-type", "application/x-amz-json-1.0")
        .body(SdkBody::from(body));
    Some(call.unwrap().try_into().unwrap())
}

/// The deletion to send before a filter is put: moto keeps an old filter of the same name (moto 5.2.5,
/// `logs/metric_filters`), while CloudWatch Logs replaces it. Remove this once moto does.
fn deletion_before_put(request: &HttpRequest) -> Option<HttpRequest> {
    let target = request.headers().get("x-amz-target")?.strip_suffix("PutMetricFilter")?.to_owned();
    let mut delete = request.try_clone()?;
    delete.headers_mut().insert("x-amz-target", format!("{target}DeleteMetricFilter"));
    Some(delete)
}

#[derive(Debug)]
struct RefusingClient {
    inner: SharedHttpClient,
    services: Services,
}

#[derive(Debug)]
struct RefusingConnector {
    inner: SharedHttpConnector,
    services: Services,
}

impl HttpClient for RefusingClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(RefusingConnector { inner, services: self.services.clone() })
    }
}

impl HttpConnector for RefusingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if let Some(answer) = self.services.answer(&request) {
            return HttpConnectorFuture::ready(Ok(answer));
        }
        let inner = self.inner.clone();
        if let Some(call) = in_json(&request) {
            return HttpConnectorFuture::new(async move {
                // An operation without output answers with an empty body.
                let body = serde_json::from_slice(&body(inner.call(call).await?).await);
                Ok(cbor(200, &body.unwrap_or_else(|_| json!({}))))
            });
        }
        if let Some(first) = deletion_before_put(&request) {
            return HttpConnectorFuture::new(async move {
                inner.call(first).await?;
                inner.call(request).await
            });
        }
        // The only answers that differ from those the SDK expects.
        let called = operation(&service(&request), &request);
        if let "s3:GetBucketVersioning" | "s3:GetBucketRequestPayment" = called.as_str() {
            return HttpConnectorFuture::new(async move {
                let answer = inner.call(request).await?;
                let status = answer.status();
                let name = called.trim_start_matches("s3:");
                let text = xml_roots::put_right("s3", name, body(answer).await);
                Ok(HttpResponse::new(status, SdkBody::from(text)))
            });
        }
        inner.call(request)
    }
}

/// The whole body of an answer.
async fn body(answer: HttpResponse) -> axum::body::Bytes {
    ByteStream::new(answer.into_body()).collect().await.unwrap().into_bytes()
}
