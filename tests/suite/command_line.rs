//! The command line as an operator runs it: the built binary, its arguments, exit codes and output, and its calls to
//! the emulator.

mod accounts;
mod caller;
mod cost;
mod decisions;
mod doctor;
mod events;
mod examples;
mod gates;
mod help;
mod install;
mod lists;
mod scan;
mod schemas;

use std::collections::BTreeMap;
use std::process::{Command, Output, Stdio};

use aws_sdk_ec2::types::{IpPermission, IpRange};
use rectify_compliance::{Target, Timestamp};
use rectify_runtime::ledger::{Attempt, BeginOutcome, Fence, Ledger, Registry, ResourcePath, new_id};
use rectify_tests::binaries::{folder, root};
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox, endpoint};
use serde_json::{Value, json};

const ROOT_KEYS: &str = "iam-root-access-key-check";
const SSH: &str = "restricted-ssh";

/// Exit code and output of one run of the binary.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs the binary with these arguments and only this environment.
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let Output { status, stdout, stderr } = Command::new(folder().join("rectify"))
        .args(arguments)
        .env_clear()
        // No AWS CLI, unless a test has one.
        .env("PATH", "/absent")
        .envs(environment.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) };
    schemas::check(arguments, &ran);
    ran
}

/// Credentials without a region.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// Arguments, environment, and the expected text on stderr.
type Unusable<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn usage_errors_exit_with_2_and_are_printed_to_stderr() {
    // Away from its subjects.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::copy(root().join(format!("events/{ROOT_KEYS}/compliant-no-root-access-key.json")), &file).unwrap();
    let scheduled = file.display().to_string();
    let place = [("AWS_REGION", REGION), ("AWS_ACCOUNT_ID", ACCOUNT)];
    let rows: [Unusable<'_>; 8] = [
        (&["check", "restricted-sh", "sg-1"], &[], "did you mean `restricted-ssh`?"),
        (&["check", SSH], &[], "<RESOURCE|--event <FILE>>"),
        (&["check", "--control", SSH, "--live", "sg-1"], &place, "was replaced by `rectify check CONTROL RESOURCE`"),
        (&["check", SSH, "--event", "absent.json"], &[], "rectify: absent.json: No such file"),
        (&["check", ROOT_KEYS, "--event", &scheduled], &[], "expected --subjects FILE, or "),
        (&["check", SSH, "sg-1"], &place, "credentials: no AWS_ACCESS_KEY_ID, and the AWS CLI does not start"),
        (&["status"], &place, "credentials: no AWS_ACCESS_KEY_ID, and the AWS CLI does not start"),
        (&["status", "--table", "t"], &KEYS, "region: expected --region, AWS_REGION or a region in the profile"),
    ];
    for (arguments, environment, expected) in rows {
        let ran = run(arguments, environment);
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains(expected), "{arguments:?}: {ran:?}");
    }
}

/// A separate ledger in the emulator, and the environment that points the binary to it.
struct Bench {
    sandbox: Sandbox,
    /// Another endpoint for AWS Config.
    config: Option<String>,
}

impl Bench {
    async fn create() -> Self {
        Self { sandbox: Sandbox::create().await, config: None }
    }

    /// Runs the binary on a blocking thread, so that the async runtime goes on serving.
    async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in(arguments, &[]).await
    }

    /// The same with these variables over those of the bench; an empty one is missing.
    async fn run_in(&self, arguments: &[&str], variables: &[(&'static str, &str)]) -> Ran {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let config = self.config.as_ref().unwrap_or(&self.sandbox.endpoint);
        let mut environment: BTreeMap<&'static str, String> = [
            ("AWS_REGION", REGION),
            ("AWS_ACCOUNT_ID", ACCOUNT),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", self.sandbox.endpoint.as_str()),
            ("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.as_str()),
            ("LEDGER_TABLE", self.sandbox.name.as_str()),
            ("USER", "ada"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        environment.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let work = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let environment: Vec<(&str, &str)> =
                environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            run(&arguments, &environment)
        };
        tokio::task::spawn_blocking(work).await.unwrap()
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.sandbox.sdk, &self.sandbox.name)
    }
}

#[tokio::test]
async fn kill_switch_is_shown_until_it_is_released() {
    let bench = Bench::create().await;
    let table = &bench.sandbox.name;
    let running = format!("running: no stop switch is on in {table}, {REGION}\n");
    assert_eq!(bench.run(&["status"]).await.out, running);
    let stopped = bench.run(&["stop", SSH, "--reason", "incident 42"]).await;
    assert_eq!((stopped.code, stopped.err.as_str()), (0, ""));
    let mut status = bench.run(&["status", "--json"]).await.json();
    assert!(status["stops"][0]["since"].take().is_string());
    let stop = json!({ "scope": SSH, "by": "ada", "reason": "incident 42", "since": null });
    assert_eq!(status, json!({ "table": table, "region": REGION, "stops": [stop] }));
    let all = bench.run(&["resume"]).await.out;
    let expected =
        format!("was not stopped: all controls\nstill stopped: {SSH} by ada: `rectify resume {SSH}` releases it\n");
    assert_eq!(all, expected);
    assert_eq!(bench.run(&["resume", SSH]).await.out, format!("resumed {SSH}\n"));
    assert_eq!(bench.run(&["status"]).await.out, running);
}

#[tokio::test]
async fn unknown_attempt_and_unknown_table_have_different_errors() {
    let bench = Bench::create().await;
    let table = bench.sandbox.name.as_str();
    for arguments in [["history", "01MISSING"].as_slice(), &["undo", "01MISSING"]] {
        let ran = bench.run(arguments).await;
        let expected = format!("rectify: attempt: no `01MISSING` in table {table}, region {REGION}\n");
        assert_eq!((ran.code, ran.out.as_str(), ran.err), (2, "", expected));
    }
    let none = bench.run(&["history", SSH, "sg-1"]).await;
    let expected = format!("no attempt on AWS::EC2::SecurityGroup sg-1 in account {ACCOUNT}, region {REGION}\n");
    assert_eq!((none.code, none.out), (0, expected));
    let ran = bench.run(&["status", "--table", "absent"]).await;
    assert!(ran.code == 2 && ran.err.contains("ledger: query: ResourceNotFoundException"), "{ran:?}");
    assert!(
        ran.err
            .ends_with("  no such table: name the ledger with --table or LEDGER_TABLE, and its region with --region\n")
    );
    let dead = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")];
    let ran = bench.run_in(&["status"], &dead).await;
    assert!(ran.code == 3 && ran.err.contains("Connection refused"), "{ran:?}");
    assert!(
        ran.err.contains("\n  no connection to AWS: check the network, the region, and AWS_ENDPOINT_URL"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn fix_is_checked_live_undone_once_and_listed() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let check = ["check", SSH, &group, "--json"];
    let before = bench.run(&check).await;
    assert_eq!(before.code, 1, "{before:?}");
    let found = before.json()["findings"][0].clone();
    let revoke = found["plan"]["steps"][0]["call"].clone();
    assert_eq!(revoke["RevokeSecurityGroupIngress"]["GroupId"], json!(group), "{found}");

    let rule = revoke["RevokeSecurityGroupIngress"]["SecurityGroupRuleIds"][0].as_str().unwrap();
    let change =
        format!("- group.rules[{rule}]: direction=ingress fromPort=22 peer.cidrIpv4=0.0.0.0/0 protocol=tcp toPort=22");
    assert_eq!(found["plan"]["changes"], json!([change]));
    let plan = bench.run(&["plan", SSH, &group]).await.out;
    let shown = format!("plan: L2, 1 removed\n    {change}\n    1. L2 RevokeSecurityGroupIngress {{");
    assert!(plan.contains(&shown), "{plan}");
    let script = bench.run(&["plan", SSH, &group, "--as", "cli"]).await;
    let command = found["plan"]["steps"][0]["command"].as_str().unwrap();
    assert_eq!((script.code, script.out), (1, format!("{command}\n")));
    let expected = format!(
        r#"aws ec2 revoke-security-group-ingress --cli-input-json '{{"GroupId":"{group}","SecurityGroupRuleIds":["{rule}"]}}' --region {REGION}"#
    );
    assert_eq!(command, expected);

    // A resource that the rule excludes, by id or by name, has no finding and no plan.
    for excluded in [&group, &bench.sandbox.name] {
        let parameters = json!({ "excludeResources": excluded }).to_string();
        let seen = bench.run(&["check", SSH, &group, "--parameters", &parameters, "--json"]).await;
        assert_eq!((seen.code, &seen.json()["findings"][0]["verdict"]), (0, &json!("NOT_APPLICABLE")), "{seen:?}");
    }

    // Make the fix and record it as the remediation does.
    ec2.revoke_security_group_ingress().group_id(&group).security_group_rule_ids(rule).send().await.unwrap();
    let fixed = bench.run(&check).await;
    assert_eq!(fixed.code, 0, "{fixed:?}");
    let attempt = record(&bench, &group, &found["subject"], &revoke).await;

    let refused = bench.run(&["undo", &attempt, "--json"]).await;
    assert_eq!((refused.code, refused.json()["error"]["kind"].clone()), (1, json!("Refused")));
    let details = refused.json()["error"]["details"].clone();
    assert!(details["calls"][0].get("AuthorizeSecurityGroupIngress").is_some(), "{details}");
    let command = details["commands"][0].as_str().unwrap();
    assert!(command.starts_with("aws ec2 authorize-security-group-ingress --cli-input-json '{"), "{command}");
    assert_eq!(details["changes"], json!([change.replacen('-', "+", 1)]));
    assert_eq!(bench.run(&check).await.code, 0, "nothing is opened before the operator confirms");

    let undone = bench.run(&["undo", &attempt, "--confirm-exposure", "--hold-for", "2d"]).await;
    assert_eq!(undone.code, 0, "{undone:?}");
    assert!(undone.err.contains(&format!("reverts the fix of {SSH} on AWS::EC2::SecurityGroup {group}")), "{undone:?}");
    assert!(undone.out.contains("1. AuthorizeSecurityGroupIngress {"), "{undone:?}");
    assert_eq!(bench.run(&check).await.code, 1, "SSH is open again");

    let again = bench.run(&["undo", &attempt]).await;
    assert!(again.code == 0 && again.out.starts_with("already undone on "), "{again:?}");
    let history = bench.run(&["history", SSH, &group]).await.out;
    for part in [
        "verified",
        "because closed",
        &change,
        "RevokeSecurityGroupIngress",
        "by ada:",
        "AuthorizeSecurityGroupIngress",
        "held for",
    ] {
        assert!(history.contains(part), "{part}: {history}");
    }
}

#[tokio::test]
async fn undo_is_refused_when_the_resource_was_changed_since() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let found = bench.run(&["check", SSH, &group, "--json"]).await.json()["findings"][0].clone();
    // Recorded as closed, but open now.
    let attempt = record(&bench, &group, &found["subject"], &found["plan"]["steps"][0]["call"]).await;
    let ran = bench.run(&["undo", &attempt, "--confirm-exposure"]).await;
    assert!(ran.code == 1 && ran.err.contains("changed since:"), "{ran:?}");
}

/// Creates a security group that lets the internet reach SSH.
async fn open_group(ec2: &aws_sdk_ec2::Client, name: &str) -> String {
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let made = ec2.create_security_group().group_name(name).description("d").vpc_id(vpc).send().await.unwrap();
    let group = made.group_id.unwrap();
    let everyone = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(everyone).build();
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh).send().await.unwrap();
    group
}

/// Records an attempt that made this call on this subject, and returns its id.
async fn record(bench: &Bench, group: &str, before: &Value, call: &Value) -> String {
    let now = Timestamp::now();
    let id = new_id(now);
    let resource = json!({ "type": "AWS::EC2::SecurityGroup", "id": group });
    let target = json!({ "account": ACCOUNT, "region": REGION, "resource": resource, "name": null, "arn": null });
    let attempt: Attempt = serde_json::from_value(json!({
        "id": id, "control": SSH, "target": target, "rule": "rectify-restricted-ssh", "recorded_at": now,
        "started_at": now, "finished_at": now, "state": "finished", "mode": "enforce", "parameters": "{}",
        "plan": { "kind": "do", "steps": [{ "level": "L2", "call": call }] },
        "before": { "version": 1, "subject": before }, "after": null,
        "actions": [{ "action": call, "receipt": null }],
        "outcome": "verified", "reason": "closed", "announced": true, "undo": null,
    }))
    .unwrap();
    let target: Target = serde_json::from_value(target).unwrap();
    let ledger = bench.ledger();
    let until = now.saturating_add(jiff::SignedDuration::from_mins(1)).unwrap();
    let lease = ledger.lease(&ResourcePath::of(&target), "a-remediation", now, until).await.unwrap();
    let (path, registry) = (ResourcePath::of(&target), Registry::default());
    let fence = Fence { control: SSH, path: &path, registry: &registry, now };
    assert_eq!(ledger.begin(&lease, &attempt, 5, &fence).await.unwrap(), BeginOutcome::Yes);
    ledger.finish(&lease, &attempt).await.unwrap();
    ledger.release(&lease).await.unwrap();
    id
}
