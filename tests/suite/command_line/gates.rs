//! What `plan` shows of the gates between a finding and its fix.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};

use super::*;

/// The variables of a remediation that every gate lets pass.
const OPEN: [(&str, &str); 9] = [
    ("MODE", "enforce"),
    ("ALLOW_L2", "true"),
    ("ALLOW_TAG_MODE", "true"),
    ("EXEMPTIONS", "ledger"),
    ("GRACE_MINUTES", "0"),
    ("MAX_FIXES_PERCENT", "100"),
    ("PARAMETERS", "{}"),
    ("RULE_NAMES", "rectify-restricted-ssh"),
    ("LEDGER_TABLE", "deployed"),
];

/// Deploys the function of a remediation with these variables over the [`OPEN`] ones; returns its prefix.
async fn deploy(bench: &Bench, control: &str, variables: &[(&str, &str)]) -> String {
    static STACKS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let prefix = format!("{}-{}-", bench.sandbox.name, STACKS.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let name = format!("{prefix}{control}-fix");
    let iam = aws_sdk_iam::Client::new(&bench.sandbox.sdk);
    let trust = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let role = iam.create_role().role_name(&name).assume_role_policy_document(trust).send().await.unwrap();
    let mut environment = Environment::builder();
    for (name, value) in OPEN.iter().chain(variables) {
        environment = environment.variables(*name, *value);
    }
    let lambda = aws_sdk_lambda::Client::new(&bench.sandbox.sdk).create_function().function_name(&name);
    let lambda =
        lambda.role(role.role().unwrap().arn()).code(FunctionCode::builder().zip_file(Blob::new("PK")).build());
    let lambda = lambda.runtime(Runtime::Providedal2023).handler("bootstrap").environment(environment.build());
    lambda.send().await.unwrap();
    prefix
}

/// The blockers of a plan, each as `gate: reason`, or `gate?: reason` for an unknown one.
fn blockers(ran: &Ran) -> Vec<String> {
    let rows = ran.json()["findings"][0]["blockers"].as_array().unwrap_or_else(|| panic!("{ran:?}")).clone();
    let mark = |row: &Value| if row["status"] == "closed" { "" } else { "?" };
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{}{}: {}", text(row, "gate"), mark(row), text(row, "reason"))).collect()
}

/// Serves this HTTP answer to every request, until the process ends; returns its address.
fn answering(status: &'static str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).unwrap() > 2 {
                if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn plan_lists_what_the_settings_of_the_deployed_function_close() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let prefix = deploy(&bench, SSH, &[]).await;
    let open = bench.run(&["plan", SSH, &group, "--prefix", &prefix]).await;
    assert!(
        open.code == 1 && open.out.ends_with("\n  not blocked: a remediation applies it with the next finding\n"),
        "{open:?}"
    );

    let excluded = json!({ "excludeResources": group }).to_string();
    let of_account = json!({ ACCOUNT: "observe" }).to_string();
    let rows = [
        ("PARAMETERS", excluded.as_str(), "scope: excluded by parameter"),
        ("PROTECTED_ARNS", "arn:aws:ec2:*", "protected ARN: protected by the stack's ProtectedArns: arn:aws:ec2:"),
        ("ALLOW_L2", "false", "level: a step of level L2 is not allowed for this control"),
        ("MODE", "plan", "mode: mode plan"),
        ("ACCOUNT_MODES", of_account.as_str(), "mode: mode observe by account 111122223333"),
        ("MAX_FIXES_PER_HOUR", "0", "budget: budget of 0 an hour used up, until "),
        ("GRACE_MINUTES", "60", "grace period?: config:GetComplianceDetailsByResource: "),
    ];
    for (name, value, expected) in rows {
        let prefix = deploy(&bench, SSH, &[(name, value)]).await;
        // With the deployed parameters an excluded resource has no finding.
        let plan = ["plan", SSH, &group, "--prefix", &prefix, "--parameters", "{}", "--json"];
        let shown = blockers(&bench.run(&plan).await);
        assert!(shown.len() == 1 && shown[0].starts_with(expected), "{expected}: {shown:?}");
    }

    let all: Vec<(&str, &str)> = rows.iter().map(|(name, value, _)| (*name, *value)).collect();
    let prefix = deploy(&bench, SSH, &all).await;
    let without = bench.run(&["plan", SSH, &group, "--prefix", &prefix, "--json"]).await;
    assert_eq!((without.code, &without.json()["findings"][0]["verdict"]), (0, &json!("NOT_APPLICABLE")), "{without:?}");
    assert_eq!(without.json()["findings"][0]["blockers"], Value::Null);
    let shown = bench.run(&["plan", SSH, &group, "--prefix", &prefix, "--parameters", "{}"]).await.out;
    let gates: Vec<&str> = shown
        .lines()
        .skip_while(|line| *line != "  blocked by:")
        .filter(|line| line.starts_with("    ") && !line.trim_start().starts_with("to lift:"))
        .map(|line| line.trim().split_once(':').unwrap().0)
        .collect();
    assert_eq!(gates, ["scope", "protected ARN", "level", "mode", "budget", "grace period"], "{shown}");
}

#[tokio::test]
async fn plan_lists_operators_decisions_and_each_is_lifted_by_the_shown_command() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let prefix = deploy(&bench, SSH, &[]).await;
    let call = json!({ "RevokeSecurityGroupIngress": { "GroupId": group, "SecurityGroupRuleIds": ["sgr-1"] } });
    for _ in 0..3 {
        record(&bench, &group, &json!({}), &call).await;
    }
    let exempt = ["--for", "90d", "--reason", "vendor", "--approver", "jane", "--ticket", "SEC-1"];
    for decision in [
        ["stop", "--reason", "drill"].to_vec(),
        ["stop", SSH, "--reason", "incident"].to_vec(),
        [&["exempt", SSH, &group], &exempt[..]].concat(),
        [&["exempt", "*", "sg-*"], &exempt[..]].concat(),
        ["hold", SSH, &group, "--reason", "migration"].to_vec(),
    ] {
        let ran = bench.run(&decision).await;
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let plan = ["plan", SSH, &group, "--prefix", &prefix, "--json"];
    let mut expected = [
        "stop switch: stopped by ada since ",
        "stop switch: stopped by ada since ",
        "exemption: exempt until ",
        "exemption: exempt until ",
        "hold: held by ada until ",
        "breaker: breaker open until ",
    ]
    .as_slice();
    loop {
        let ran = bench.run(&plan).await;
        let shown = blockers(&ran);
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        assert!(shown.iter().zip(expected).all(|(shown, expected)| shown.starts_with(expected)), "{shown:?}");
        let Some(rest) = expected.get(1..) else { break };
        expected = rest;
        let lift = ran.json()["findings"][0]["blockers"][0]["lift"].as_str().unwrap().to_owned();
        let command: Vec<&str> = lift.strip_prefix("rectify ").unwrap().split(' ').collect();
        let lifted = bench.run(&command).await;
        assert_eq!(lifted.code, 0, "{lift}: {lifted:?}");
    }
}

#[tokio::test]
async fn plan_lists_what_tags_of_the_resource_close() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let prefix = deploy(&bench, SSH, &[]).await;
    let rows = [
        ("rectify:mode", "plan", "mode: mode plan by tag rectify:mode"),
        ("aws:cloudformation:stack-name", "web", "stack: managed by CloudFormation stack `web`"),
    ];
    for (number, (key, value, expected)) in rows.into_iter().enumerate() {
        let group = open_group(&ec2, &format!("{}-{number}", bench.sandbox.name)).await;
        let tag = aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
        ec2.create_tags().resources(&group).tags(tag).send().await.unwrap();
        let ran = bench.run(&["plan", SSH, &group, "--prefix", &prefix, "--json"]).await;
        assert_eq!(blockers(&ran), [expected]);
    }
}

#[tokio::test]
async fn plan_looks_up_the_stack_of_a_resource_without_its_tag() {
    const ROTATION: &str = "cmk-backing-key-rotation-enabled";
    let bench = Bench::create().await;
    let kms = aws_sdk_kms::Client::new(&bench.sandbox.sdk);
    let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let prefix = deploy(&bench, ROTATION, &[]).await;
    let answer = format!(
        "<DescribeStackResourcesResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <DescribeStackResourcesResult><StackResources><member><StackName>keys</StackName>\
         <LogicalResourceId>Key</LogicalResourceId><PhysicalResourceId>{key}</PhysicalResourceId>\
         <ResourceType>AWS::KMS::Key</ResourceType><Timestamp>2026-03-04T05:06:07Z</Timestamp>\
         <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResources></DescribeStackResourcesResult>\
         </DescribeStackResourcesResponse>"
    );
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    for (status, body, expected) in [
        ("200 OK", answer.as_str(), "stack: managed by CloudFormation stack `keys`"),
        ("403 Forbidden", denied, "stack?: cloudformation:DescribeStackResources: AccessDenied: no"),
    ] {
        let stacks = [("AWS_ENDPOINT_URL_CLOUDFORMATION", answering(status, body))];
        let stacks = [(stacks[0].0, stacks[0].1.as_str())];
        let ran = bench.run_in(&["plan", ROTATION, &key, "--prefix", &prefix, "--json"], &stacks).await;
        let shown = blockers(&ran);
        assert!(shown.len() == 1 && shown[0].starts_with(expected), "{shown:?}");
    }
}

#[tokio::test]
async fn grace_period_counts_from_the_report_of_the_rule() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let prefix = deploy(&bench, SSH, &[("GRACE_MINUTES", "60")]).await;
    let now = Timestamp::now().as_second();
    let reported = |rule: &str, ago: i64| {
        let id = json!({ "ConfigRuleName": rule, "ResourceType": "AWS::EC2::SecurityGroup", "ResourceId": group });
        json!({ "EvaluationResultIdentifier": { "EvaluationResultQualifier": id }, "ResultRecordedTime": now - ago,
            "ComplianceType": "NON_COMPLIANT" })
    };
    let other = reported("another-rule", 7200);
    for (results, is_closed) in [
        (vec![other.clone(), reported("rectify-restricted-ssh", 3000)], true),
        (vec![other.clone(), reported("rectify-restricted-ssh", 4000)], false),
        (vec![other], true),
    ] {
        let config = answering("200 OK", &json!({ "EvaluationResults": results }).to_string());
        let plan = ["plan", SSH, &group, "--prefix", &prefix, "--json"];
        let shown = blockers(&bench.run_in(&plan, &[("AWS_ENDPOINT_URL_CONFIG_SERVICE", &config)]).await);
        assert_eq!(shown.len(), usize::from(is_closed), "{shown:?}");
        assert!(shown.iter().all(|it| it.starts_with("grace period: grace until ")), "{shown:?}");
    }
}

#[tokio::test]
async fn plan_without_a_deployment_says_what_is_not_known() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let tag = aws_sdk_ec2::types::Tag::builder().key("aws:cloudformation:stack-name").value("web").build();
    ec2.create_tags().resources(&group).tags(tag).send().await.unwrap();
    let plan = ["plan", SSH, &group, "--prefix", "absent-"];
    let ran = bench.run_in(&plan, &[("LEDGER_TABLE", "")]).await;
    let expected = "
  blocked by:
    stack: managed by CloudFormation stack `web`
      to lift: change the stack's template, or set remediateManagedStacks: true in rectify.yaml and deploy
  unknown:
    stop switch, exemption, hold, breaker: table: no `absent-Ledger` in region us-east-1: give the stack's output LedgerTable with --table, or its prefix with --prefix
    scope, protected ARN, level, mode, grace period, budget: no function absent-restricted-ssh-fix in us-east-1: not deployed, or in mode off or observe; --parameters FILE plans for a rectify.yaml
";
    assert!(ran.code == 1 && ran.out.ends_with(expected), "{}", ran.out);

    let ran = bench.run_in(&plan, &[("LEDGER_TABLE", "absent")]).await;
    let unreadable = "ledger: query: ResourceNotFoundException";
    assert!(ran.out.contains(&format!("stop switch, exemption, hold, breaker: {unreadable}")), "{ran:?}");
    assert!(ran.out.contains("table absent, region us-east-1"), "{ran:?}");
    let ran = bench.run(&[&plan[..], &["--json"]].concat()).await;
    assert!(!blockers(&ran).iter().any(|it| it.starts_with("stop switch")), "{ran:?}");
}

#[tokio::test]
async fn plan_for_a_rectify_yaml_has_its_settings_and_parameters() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rectify.yaml");
    let path = file.display().to_string();
    let plan = ["plan", SSH, &group, "--prefix", "absent-", "--parameters", &path, "--json"];
    for (text, expected) in [
        ("maxFixesPercent: 100\ncontrols:\n  restricted-ssh: { mode: enforce, allowL2: true }\n", &[][..]),
        (
            "maxFixesPerHour: 0\n",
            &["level: a step of level L2 is not allowed", "mode: mode plan", "budget: budget of 0 an hour used up"],
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let shown = blockers(&bench.run(&plan).await);
        assert_eq!(shown.len(), expected.len(), "{shown:?}");
        assert!(shown.iter().zip(expected).all(|(shown, expected)| shown.starts_with(expected)), "{shown:?}");
    }
    std::fs::write(&file, "controls:\n  restricted-ssh: { parameters: { ports: [2222] } }\n").unwrap();
    let ran = bench.run(&plan).await;
    assert_eq!((ran.code, &ran.json()["findings"][0]["verdict"]), (0, &json!("COMPLIANT")), "port 22 is allowed");
    std::fs::write(&file, "mode: enforced\n").unwrap();
    let refused = bench.run(&plan[..plan.len() - 1]).await;
    assert!(
        refused.code == 2 && refused.err.contains(&format!("--parameters: {path}: rectify.yaml: mode: ")),
        "{refused:?}"
    );
}
