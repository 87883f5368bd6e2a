//! Memory does not grow with the account: a rule's process has the same peak over 100,000 resources as over 1,000.
//!
//! EC2 and AWS Config are served here, since no emulator holds 100,000 resources. The rule is one whose list calls
//! return all it evaluates: further calls per resource would take minutes and show nothing else.
//! `shared/runtime/src/rule/periodic.rs` says what may grow: eight bytes per resource, to find those that are gone, and
//! sixteen for AWS Config's result, to report only what differs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use rectify_local::host::{FunctionSpec, Host, HostSettings};
use rectify_runtime::serve::FUNCTION;
use rectify_tests::binaries;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::{rule_event, scheduled};
use serde_json::{Value, json};

const CONTROL: &str = "restricted-ssh";
const FEW: usize = 1_000;
const MANY: usize = 100_000;

/// How much the peak may grow. 24 bytes per resource in tables that double are at most 5 MiB.
const ALLOWED_KIB: u64 = 6 * 1024;

/// Every tenth group opens SSH to the internet.
const OPEN_EVERY: usize = 10;
/// The results on one page of AWS Config.
const RESULTS_PER_PAGE: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn peak_of_a_periodic_run_does_not_grow_with_the_account() {
    let few = peak_over(FEW).await;
    let many = peak_over(MANY).await;
    assert!(many <= few + ALLOWED_KIB, "{FEW} resources: {few} KiB at the peak; {MANY} resources: {many} KiB");
}

/// The peak memory of the rule's process, in KiB, after one run over `groups` security groups.
async fn peak_over(groups: usize) -> u64 {
    let account = Account::serve(groups).await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = HostSettings::new(REGION, folder.path().join("logs"));
    settings.environment.insert("AWS_ENDPOINT_URL".to_owned(), account.endpoint.clone());
    let host = Host::start(settings).await.unwrap();
    let name = format!("rectify-{CONTROL}");
    host.deploy(FunctionSpec {
        name: name.clone(),
        arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"),
        binary: binaries::folder().join("ec2-functions"),
        environment: BTreeMap::from([(FUNCTION.to_owned(), CONTROL.to_owned())]),
        timeout: Duration::from_secs(900),
        memory: 128,
        retries: 0,
    })
    .unwrap();
    let answer = host.invoke(&name, &rule_event(&scheduled(), &json!({}), "token")).await;
    assert_eq!(answer, Ok(Value::Null), "{}", host.logs(&name).join("\n"));
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!(count(&account.seen.evaluated), groups, "every group is reported, and none is retired");
    assert_eq!(count(&account.seen.open), groups / OPEN_EVERY);
    assert_eq!(count(&account.seen.results), groups, "every earlier result is read");
    high_water_mark(&account.endpoint)
}

/// `VmHWM` of the one process with this endpoint in its environment; it is warm and waits for its next event.
fn high_water_mark(endpoint: &str) -> u64 {
    let expected = format!("AWS_ENDPOINT_URL={endpoint}");
    let is_function = |process: &Path| {
        let read = |file: &str| std::fs::read(process.join(file)).unwrap_or_default();
        read("environ").split(|byte| *byte == 0).any(|variable| variable == expected.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = processes.filter(|process| is_function(process)).collect();
    let [process] = found.as_slice() else { panic!("one process at {endpoint}: {found:?}") };
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// An account with many security groups, and AWS Config with a result for each from the previous run.
struct Account {
    endpoint: String,
    seen: Arc<Seen>,
    server: tokio::task::JoinHandle<()>,
}

/// Counters of the rule's calls.
#[derive(Default)]
struct Seen {
    groups: usize,
    evaluated: AtomicUsize,
    open: AtomicUsize,
    results: AtomicUsize,
}

impl Drop for Account {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Account {
    async fn serve(groups: usize) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Seen { groups, ..Seen::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, seen, server }
    }
}

async fn answer(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: String) -> String {
    let Some(target) = headers.get("x-amz-target").map(|it| it.to_str().unwrap()) else { return seen.described(&body) };
    let request: Value = serde_json::from_str(&body).unwrap();
    match target {
        "StarlingDoveService.PutEvaluations" => seen.put(&request).to_string(),
        "StarlingDoveService.GetComplianceDetailsByConfigRule" => seen.details(&request).to_string(),
        other => panic!("{other}: not served"),
    }
}

impl Seen {
    /// Answers `DescribeSecurityGroups`; the token is the number of the first group.
    fn described(&self, body: &str) -> String {
        let field = |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        assert_eq!(field("Action"), Some("DescribeSecurityGroups"), "{body}");
        let number = |name: &str| field(name).map(|it| it.parse::<usize>().unwrap());
        let from = number("NextToken").unwrap_or(0);
        let to = self.groups.min(from + number("MaxResults").unwrap());
        let mut answer = "<DescribeSecurityGroupsResponse><requestId>r</requestId><securityGroupInfo>".to_owned();
        for group in from..to {
            let cidr = if group % OPEN_EVERY == 0 { "0.0.0.0/0" } else { "10.0.0.0/8" };
            write!(
                answer,
                "<item><ownerId>{ACCOUNT}</ownerId><groupId>{}</groupId><groupName>group-{group}</groupName>\
                 <groupDescription>one of many</groupDescription><vpcId>vpc-0a1b2c3d</vpcId><ipPermissions><item>\
                 <ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/><ipRanges><item>\
                 <cidrIp>{cidr}</cidrIp></item></ipRanges></item></ipPermissions><ipPermissionsEgress/></item>",
                id(group)
            )
            .unwrap();
        }
        answer.push_str("</securityGroupInfo>");
        if to < self.groups {
            write!(answer, "<nextToken>{to}</nextToken>").unwrap();
        }
        answer + "</DescribeSecurityGroupsResponse>"
    }

    fn put(&self, request: &Value) -> Value {
        let evaluations = request["Evaluations"].as_array().unwrap();
        let open = evaluations.iter().filter(|it| it["ComplianceType"] == "NON_COMPLIANT").count();
        self.evaluated.fetch_add(evaluations.len(), Ordering::Relaxed);
        self.open.fetch_add(open, Ordering::Relaxed);
        json!({ "FailedEvaluations": [] })
    }

    fn details(&self, request: &Value) -> Value {
        let from = request["NextToken"].as_str().map_or(0, |it| it.parse::<usize>().unwrap());
        let to = self.groups.min(from + RESULTS_PER_PAGE);
        let result = |group: usize| {
            json!({ "EvaluationResultIdentifier": { "EvaluationResultQualifier": {
                "ConfigRuleName": "rectify-widget-disabled", "ResourceType": "AWS::EC2::SecurityGroup", "ResourceId": id(group)
            }}, "ComplianceType": "COMPLIANT" })
        };
        self.results.fetch_add(to - from, Ordering::Relaxed);
        let mut answer = json!({ "EvaluationResults": (from..to).map(result).collect::<Vec<_>>() });
        if to < self.groups {
            answer["NextToken"] = json!(to.to_string());
        }
        answer
    }
}

fn id(group: usize) -> String {
    format!("sg-{group:017x}")
}
