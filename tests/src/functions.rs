//! Lambda in memory: the policy of one function, edited at revisions as the service checks them.
//!
//! moto 5.2.5 refuses every revision (`awslambda/responses.py`, `remove_permission`) and ends the resource of each
//! statement with `:$LATEST`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use rectify_local::proxy::lambda;
use serde_json::{Value, json};

use crate::emulator::{ACCOUNT, REGION, sdk_over};

/// The name of the function.
pub const NAME: &str = "resize";
/// A function without a policy, on the second page of the list.
pub const OTHER: &str = "without-policy";

#[derive(Debug, Default)]
struct State {
    statements: Vec<Value>,
    revision: usize,
    /// How many removals still meet a change in between.
    conflicts: usize,
    /// The operation that is denied.
    denied: Option<&'static str>,
    calls: Vec<String>,
}

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Functions(Arc<Mutex<State>>);

/// The ARN of a function.
pub fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

impl Functions {
    /// The function with these statements.
    pub fn with(statements: Vec<Value>) -> Self {
        let functions = Self::default();
        functions.state().statements = statements;
        functions
    }

    /// The same; the policy changes before each of the first `conflicts` removals.
    #[must_use]
    pub fn conflicting(self, conflicts: usize) -> Self {
        self.state().conflicts = conflicts;
        self
    }

    /// The same; this operation is denied.
    #[must_use]
    pub fn denying(self, operation: &'static str) -> Self {
        self.state().denied = Some(operation);
        self
    }

    /// A function's SDK configuration with this service.
    pub fn sdk(&self) -> SdkConfig {
        let functions = self.clone();
        let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
            let operation = lambda::operation(request.method(), request.uri().path()).unwrap();
            let (status, error, body) = functions.state().answer(operation, &request);
            let response = http::Response::builder().status(status).header("x-amzn-errortype", error);
            response.body(SdkBody::from(body.to_string())).unwrap()
        });
        sdk_over("http://localhost", http)
    }

    /// The operations so far.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Status, error type and body.
type Answer = (u16, &'static str, Value);

fn refused(status: u16, error: &'static str) -> Answer {
    (status, error, json!({"Message": "as scripted"}))
}

impl State {
    fn answer(&mut self, operation: &str, request: &http::Request<SdkBody>) -> Answer {
        self.calls.push(operation.to_owned());
        if self.denied == Some(operation) {
            return refused(403, "AccessDeniedException");
        }
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let is_known = lambda::function(path).is_some_and(|it| it.ends_with(NAME));
        match operation {
            "ListFunctions" if query.contains("Marker") => (200, "", json!({"Functions": [listed(OTHER)]})),
            "ListFunctions" => (200, "", json!({"Functions": [listed(NAME)], "NextMarker": "more"})),
            "ListTags" if is_known => (200, "", json!({"Tags": {"team": "pay"}})),
            "GetPolicy" if is_known && !self.statements.is_empty() => {
                let policy = json!({"Version": "2012-10-17", "Id": "default", "Statement": self.statements});
                (200, "", json!({"Policy": policy.to_string(), "RevisionId": self.revision.to_string()}))
            }
            "RemovePermission" => self.remove(path, query),
            "AddPermission" => self.add(&serde_json::from_slice(request.body().bytes().unwrap()).unwrap()),
            _ => refused(404, "ResourceNotFoundException"),
        }
    }

    fn remove(&mut self, path: &str, query: &str) -> Answer {
        if self.conflicts > 0 {
            self.conflicts -= 1;
            self.revision += 1;
        }
        if !query.split('&').any(|it| it == format!("RevisionId={}", self.revision)) {
            return refused(412, "PreconditionFailedException");
        }
        let (sid, before) = (path.rsplit('/').next(), self.statements.len());
        self.statements.retain(|it| it["Sid"].as_str() != sid);
        self.revision += 1;
        if self.statements.len() == before { refused(404, "ResourceNotFoundException") } else { (204, "", json!({})) }
    }

    fn add(&mut self, input: &Value) -> Answer {
        if self.statements.iter().any(|it| it["Sid"] == input["StatementId"]) {
            return refused(409, "ResourceConflictException");
        }
        let statement = json!({"Sid": input["StatementId"], "Effect": "Allow", "Principal": input["Principal"],
                               "Action": input["Action"], "Resource": arn(NAME)});
        self.statements.push(statement.clone());
        self.revision += 1;
        (201, "", json!({"Statement": statement.to_string()}))
    }
}

fn listed(name: &str) -> Value {
    json!({"FunctionName": name, "FunctionArn": arn(name)})
}
