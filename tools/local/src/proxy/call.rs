//! Names the service, operation and caller of a request.
//!
//! The request itself shows its protocol: a target header (JSON), an `Action` field (Query), or method and path (REST).
//! Nothing here forwards or answers.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::lambda;

/// The format of a service's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `application/x-amz-json-1.x`: the error's code in `__type`.
    Json,
    /// The Query protocol of IAM, STS and old SQS: `ErrorResponse/Error`.
    Query,
    /// EC2's variant of Query: `Response/Errors/Error`.
    Ec2,
    /// S3: a bare `Error`.
    S3,
    /// S3 Control: XML, wrapped in `ErrorResponse`.
    S3Control,
}

/// A request's service and operation, as AWS names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallName {
    /// The service of the credential scope, e.g. `ec2`; `s3control` is recognized by its path.
    pub service: String,
    /// The operation, e.g. `GetBucketPolicyStatus`; method and path if the name is not known.
    pub operation: String,
    /// The format of its errors.
    pub protocol: Protocol,
    /// The access key that signed the request; empty without a signature.
    pub access_key: String,
}

impl CallName {
    /// Reads the name from a request's head and body.
    #[must_use]
    pub fn of(head: &Parts, body: &[u8]) -> Self {
        let (access_key, scope) = credential(&head.headers);
        let path = head.uri.path();
        let query = Pairs::parse(head.uri.query().unwrap_or_default());

        if let Some((target_service, operation)) = target(&head.headers) {
            let service = if scope.is_empty() { target_service } else { scope };
            return Self { service, operation, protocol: Protocol::Json, access_key };
        }
        if let Some(action) = action(&head.headers, &query, body) {
            let protocol = if scope == "ec2" { Protocol::Ec2 } else { Protocol::Query };
            return Self { service: scope, operation: action, protocol, access_key };
        }
        if path.starts_with(S3_CONTROL_ROOT) {
            let operation = s3_control_operation(&head.method, path);
            return Self { service: "s3control".to_owned(), operation, protocol: Protocol::S3Control, access_key };
        }
        if scope.is_empty() || scope == "s3" {
            let operation = s3_operation(&head.method, path, &query, &head.headers);
            return Self { service: "s3".to_owned(), operation, protocol: Protocol::S3, access_key };
        }
        let named = (scope == "lambda").then(|| lambda::operation(&head.method, path)).flatten();
        // Another REST-JSON service, which Rectify does not call: method and path replace the name.
        let operation = named.map_or_else(|| format!("{} {path}", head.method), str::to_owned);
        Self { service: scope, operation, protocol: Protocol::Json, access_key }
    }
}

const S3_CONTROL_ROOT: &str = "/v20180820/";

/// `Credential=<key>/<date>/<region>/<service>/aws4_request` of a signed request.
fn credential(headers: &HeaderMap) -> (String, String) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((_, scope)) = text("authorization").split_once("Credential=") else {
        return (String::new(), String::new());
    };
    let mut members = scope.split(',').next().unwrap_or_default().split('/');
    let access_key = members.next().unwrap_or_default().to_owned();
    let service = members.nth(2).unwrap_or_default().to_ascii_lowercase();
    (access_key, service)
}

/// `AmazonSQS.SendMessage`, or with more dots: `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail`.
fn target(headers: &HeaderMap) -> Option<(String, String)> {
    let (service, operation) = headers.get("x-amz-target")?.to_str().ok()?.rsplit_once('.')?;
    Some((service.to_ascii_lowercase(), operation.to_owned()))
}

fn action(headers: &HeaderMap, query: &Pairs, body: &[u8]) -> Option<String> {
    let is_form = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
    let in_body = if is_form { Pairs::parse(&String::from_utf8_lossy(body)).value("Action") } else { None };
    in_body.or_else(|| query.value("Action"))
}

fn s3_control_operation(method: &Method, path: &str) -> String {
    let verb = verb(method);
    let members: Vec<&str> = path.trim_start_matches(S3_CONTROL_ROOT).trim_end_matches('/').split('/').collect();
    match members.as_slice() {
        ["configuration", "publicAccessBlock"] => format!("{verb}PublicAccessBlock"),
        ["accesspoint"] => "ListAccessPoints".to_owned(),
        // PUT creates an access point, so AWS names it Create.
        ["accesspoint", _] if method == Method::PUT => "CreateAccessPoint".to_owned(),
        ["accesspoint", _] => format!("{verb}AccessPoint"),
        ["accesspoint", _, "policy"] => format!("{verb}AccessPointPolicy"),
        ["accesspoint", _, "policyStatus"] => format!("{verb}AccessPointPolicyStatus"),
        _ => format!("{method} {path}"),
    }
}

/// Sub-resources of a bucket by their query key, with the noun of the operation's name.
const BUCKET_SUBRESOURCES: &[(&str, &str)] = &[
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "BucketAcl"),
    ("analytics", "BucketAnalyticsConfiguration"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("intelligent-tiering", "BucketIntelligentTieringConfiguration"),
    ("inventory", "BucketInventoryConfiguration"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("metrics", "BucketMetricsConfiguration"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("policyStatus", "BucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Sub-resources of an object.
const OBJECT_SUBRESOURCES: &[(&str, &str)] = &[
    ("acl", "ObjectAcl"),
    ("attributes", "ObjectAttributes"),
    ("legal-hold", "ObjectLegalHold"),
    ("retention", "ObjectRetention"),
    ("tagging", "ObjectTagging"),
];

fn s3_operation(method: &Method, path: &str, query: &Pairs, headers: &HeaderMap) -> String {
    if let Some(named) = query.value("x-id") {
        return named; // the AWS SDKs name some operations themselves
    }
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() {
        return "ListBuckets".to_owned();
    }
    let subresources = if key.is_empty() { BUCKET_SUBRESOURCES } else { OBJECT_SUBRESOURCES };
    if let Some((_, noun)) = subresources.iter().find(|(name, _)| query.has(name)) {
        return format!("{}{noun}", verb(method));
    }
    if key.is_empty() { bucket_operation(method, query) } else { object_operation(method, query, headers) }
}

fn bucket_operation(method: &Method, query: &Pairs) -> String {
    let name = match *method {
        Method::HEAD => "HeadBucket",
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::POST if query.has("delete") => "DeleteObjects",
        Method::GET if query.has("versions") => "ListObjectVersions",
        Method::GET if query.has("uploads") => "ListMultipartUploads",
        Method::GET if query.has("list-type") => "ListObjectsV2",
        Method::GET => "ListObjects",
        _ => return format!("{method} bucket"),
    };
    name.to_owned()
}

fn object_operation(method: &Method, query: &Pairs, headers: &HeaderMap) -> String {
    let copies = headers.contains_key("x-amz-copy-source");
    let name = match *method {
        Method::HEAD => "HeadObject",
        Method::GET if query.has("uploadId") => "ListParts",
        Method::GET => "GetObject",
        Method::PUT if query.has("uploadId") && copies => "UploadPartCopy",
        Method::PUT if query.has("uploadId") => "UploadPart",
        Method::PUT if copies => "CopyObject",
        Method::PUT => "PutObject",
        Method::DELETE if query.has("uploadId") => "AbortMultipartUpload",
        Method::DELETE => "DeleteObject",
        Method::POST if query.has("uploads") => "CreateMultipartUpload",
        Method::POST if query.has("uploadId") => "CompleteMultipartUpload",
        _ => return format!("{method} object"),
    };
    name.to_owned()
}

fn verb(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD => "Get",
        Method::PUT => "Put",
        Method::DELETE => "Delete",
        _ => method.as_str(),
    }
}

/// The decoded fields of a form or query string.
#[derive(Debug)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |field: &str| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (decoded(name), decoded(value))
        };
        Self(text.split('&').filter(|field| !field.is_empty()).map(pair).collect())
    }

    /// The values of all fields whose names match, in order.
    pub(crate) fn values_named(&self, matches: impl Fn(&str) -> bool) -> Vec<String> {
        self.0.iter().filter(|(name, _)| matches(name)).map(|(_, value)| value.clone()).collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.clone())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(it, _)| it == name)
    }
}

/// Percent-decoding with `+` as a space, as in forms; a stray `%` stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let pair: String = ahead.by_ref().take(2).map(char::from).collect();
                if let (2, Ok(value)) = (pair.len(), u8::from_str_radix(&pair, 16)) {
                    bytes.push(value);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn name(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> (String, String, Protocol) {
        let mut request = Request::builder().method(method).uri(uri);
        for (key, value) in headers {
            request = request.header(*key, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let call = CallName::of(&head, body.as_bytes());
        (call.service, call.operation, call.protocol)
    }

    /// Method, URI, headers and body, then the expected name.
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, (&'a str, &'a str, Protocol));

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIALOCAL/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    #[test]
    fn operation_is_read_in_every_protocol() {
        let (ec2, iam, s3) = (signed("ec2"), signed("iam"), signed("s3"));
        let (sqs, trail) = (signed("sqs"), signed("cloudtrail"));
        let rows: &[Row<'_>] = &[
            (
                "POST",
                "/",
                &[("authorization", &ec2), FORM],
                "Action=DescribeSecurityGroups&Version=2016-11-15",
                ("ec2", "DescribeSecurityGroups", Protocol::Ec2),
            ),
            (
                "POST",
                "/",
                &[("authorization", &iam), FORM],
                "Version=2010-05-08&Action=GetAccountSummary",
                ("iam", "GetAccountSummary", Protocol::Query),
            ),
            ("GET", "/?Action=ListUsers", &[("authorization", &iam)], "", ("iam", "ListUsers", Protocol::Query)),
            (
                "POST",
                "/",
                &[("authorization", &sqs), ("x-amz-target", "AmazonSQS.SendMessage")],
                "{}",
                ("sqs", "SendMessage", Protocol::Json),
            ),
            (
                "POST",
                "/",
                &[
                    ("authorization", &trail),
                    ("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrail"),
                ],
                "{}",
                ("cloudtrail", "GetTrail", Protocol::Json),
            ),
            ("GET", "/b?policyStatus", &[("authorization", &s3)], "", ("s3", "GetBucketPolicyStatus", Protocol::S3)),
            (
                "PUT",
                "/b?publicAccessBlock=",
                &[("authorization", &s3)],
                "",
                ("s3", "PutPublicAccessBlock", Protocol::S3),
            ),
            ("DELETE", "/b?policy", &[("authorization", &s3)], "", ("s3", "DeleteBucketPolicy", Protocol::S3)),
            ("PUT", "/b/k?acl", &[("authorization", &s3)], "", ("s3", "PutObjectAcl", Protocol::S3)),
            ("PUT", "/b/deep/key", &[("authorization", &s3)], "", ("s3", "PutObject", Protocol::S3)),
            ("PUT", "/b", &[("authorization", &s3)], "", ("s3", "CreateBucket", Protocol::S3)),
            ("GET", "/?x-id=ListBuckets", &[("authorization", &s3)], "", ("s3", "ListBuckets", Protocol::S3)),
            (
                "GET",
                "/v20180820/configuration/publicAccessBlock",
                &[("authorization", &s3)],
                "",
                ("s3control", "GetPublicAccessBlock", Protocol::S3Control),
            ),
            (
                "GET",
                "/v20180820/accesspoint?bucket=b",
                &[("authorization", &s3)],
                "",
                ("s3control", "ListAccessPoints", Protocol::S3Control),
            ),
            (
                "GET",
                "/v20180820/accesspoint/p",
                &[("authorization", &s3)],
                "",
                ("s3control", "GetAccessPoint", Protocol::S3Control),
            ),
            (
                "GET",
                "/v20180820/accesspoint/p/policyStatus",
                &[("authorization", &s3)],
                "",
                ("s3control", "GetAccessPointPolicyStatus", Protocol::S3Control),
            ),
            (
                "GET",
                "/v20180820/jobs",
                &[("authorization", &s3)],
                "",
                ("s3control", "GET /v20180820/jobs", Protocol::S3Control),
            ),
            ("HEAD", "/b", &[], "", ("s3", "HeadBucket", Protocol::S3)),
        ];
        for (method, uri, headers, body, (service, operation, protocol)) in rows {
            assert_eq!(
                name(method, uri, headers, body),
                ((*service).to_owned(), (*operation).to_owned(), *protocol),
                "{method} {uri} {body}"
            );
        }
    }

    #[test]
    fn access_key_is_read_from_the_signature() {
        let (head, ()) = Request::builder().header("authorization", signed("ec2")).body(()).unwrap().into_parts();
        assert_eq!(CallName::of(&head, b"").access_key, "AKIALOCAL");
    }

    #[test]
    fn form_values_are_decoded_and_stray_percents_kept() {
        let pairs = Pairs::parse("a=x%2Fy+z&b=100%&c=%zz");
        assert_eq!(
            pairs.0,
            [("a", "x/y z"), ("b", "100%"), ("c", "%zz")].map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
