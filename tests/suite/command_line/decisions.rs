//! The commands for exemptions, breakers, `redo` and `doctor`.

use rectify_compliance::{AccountId, Region, ResourceKey};
use rectify_runtime::ledger::Outcome;

use super::*;

#[tokio::test]
async fn exemption_is_added_listed_ended_and_recorded() {
    let bench = Bench::create().await;
    let tomorrow = (Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    let added = bench.exempt(&[SSH, "sg-*", "--until", &tomorrow, "--json"]).await;
    let exemption = added.json()["exemption"].clone();
    assert_eq!((added.code, &exemption["until"]), (0, &json!(format!("{tomorrow}T00:00:00Z"))), "{added:?}");
    assert_eq!((&exemption["selector"], &exemption["account"]), (&json!("resource:sg-*"), &json!(ACCOUNT)));
    let id = exemption["id"].as_str().unwrap();
    let listed = bench.run(&["exempt", "list"]).await;
    let line = listed.out.lines().nth(1).unwrap();
    assert!(line.starts_with(id) && line.contains(&format!("resource:sg-*  {tomorrow} 00:00:00Z  jane")), "{listed:?}");
    assert_eq!(bench.run(&["exempt", "list", ROOT_KEYS]).await.out, "no exemption\n");

    let ended = bench.run(&["exempt", "end", id]).await;
    assert!(ended.code == 0 && ended.out.starts_with(&format!("ended {id}")), "{ended:?}");
    let again = bench.run(&["exempt", "end", id]).await;
    assert!(again.code == 2 && again.err.contains("that has not been ended"), "{again:?}");
    assert_eq!(bench.run(&["exempt", "list"]).await.out, "no exemption\n");
    let all = bench.run(&["exempt", "list", "--all"]).await;
    assert!(all.out.contains(" by ada"), "{all:?}");
    let acts = bench.ledger().acts(&Timestamp::now().to_string()[..7]).await.unwrap();
    let recorded: Vec<&str> = acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(recorded, [format!("exempt add {SSH} {ACCOUNT} resource:sg-*"), format!("exempt end {id}")]);
    assert!(acts.iter().all(|act| act.by == "ada"), "{acts:?}");

    let refused = bench.exempt(&["*", "--tag", "team=web", "--until", "2020-01-01"]).await;
    assert!(refused.code == 2 && refused.err.contains("expected a future date"), "{refused:?}");
}

impl Bench {
    /// Adds an exemption with these arguments, a reason, an approver and a ticket.
    async fn exempt(&self, arguments: &[&str]) -> Ran {
        let decision = ["--reason", "vendor appliance", "--approver", "jane", "--ticket", "SEC-1"];
        self.run(&[&["exempt"], arguments, &decision].concat()).await
    }
}

#[tokio::test]
async fn exemption_lasts_at_most_a_year_unless_the_limit_is_set() {
    let bench = Bench::create().await;
    let refused = bench.exempt(&[SSH, "sg-1", "--for", "367d"]).await;
    let latest = (Timestamp::now() + jiff::SignedDuration::from_hours(24 * 366)).strftime("%Y-%m-%d").to_string();
    assert!(refused.code == 2 && refused.err.contains(&format!("until: expected {latest}")), "{refused:?}");
    assert!(refused.err.contains("lasts at most 366 days; `rectify exempt limit` sets another limit"), "{refused:?}");
    assert_eq!(bench.exempt(&[SSH, "sg-1", "--for", "366d"]).await.code, 0);
    let limit = bench.run(&["exempt", "limit", "800d", "--reason", "the vendor's contract"]).await;
    assert_eq!(limit.out, format!("new exemptions in {} last at most 800 days\n", bench.sandbox.name));
    assert_eq!(bench.exempt(&[SSH, "sg-1", "--for", "800d"]).await.code, 0);
    let refused = bench.exempt(&[SSH, "sg-1", "--for", "801d"]).await;
    assert!(refused.code == 2 && refused.err.contains("lasts at most 800 days"), "{refused:?}");
    let acts = bench.ledger().acts(&Timestamp::now().to_string()[..7]).await.unwrap();
    assert!(acts.iter().any(|it| it.what == "exempt limit 800d" && it.why == "the vendor's contract"), "{acts:?}");
}

/// AWS Config with the two pages of findings of one rule, until the last connection is served.
fn findings_of_ssh() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            // The body is JSON and ends with the only closing brace.
            while !request.ends_with(b"}") {
                let read = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..read]);
            }
            let request = String::from_utf8(request).unwrap();
            let result = |id: &str| {
                let qualifier = json!({ "ConfigRuleName": "rectify-restricted-ssh",
                    "ResourceType": "AWS::EC2::SecurityGroup", "ResourceId": id });
                json!({ "EvaluationResultIdentifier": { "EvaluationResultQualifier": qualifier } })
            };
            let (status, body) = match (request.contains("rectify-restricted-ssh"), request.contains("\"NextToken\"")) {
                (false, _) => ("400 Bad Request", json!({ "__type": "NoSuchConfigRuleException", "message": "none" })),
                (true, false) => {
                    ("200 OK", json!({ "EvaluationResults": [result("sg-1"), result("sg-2")], "NextToken": "2" }))
                }
                (true, true) => ("200 OK", json!({ "EvaluationResults": [result("sg-3")] })),
            };
            let body = body.to_string();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n");
            write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn exemption_of_everything_is_confirmed_and_says_what_it_covers() {
    let mut bench = Bench::create().await;
    let unknown = bench.exempt(&[SSH, "*", "--for", "1d"]).await;
    assert!(unknown.code == 1 && unknown.err.contains("covers an unknown number of open findings ("), "{unknown:?}");
    bench.config = Some(findings_of_ssh());
    let place = format!("open findings in account {ACCOUNT}, region {REGION}");
    for control in [SSH, "*"] {
        let refused = bench.exempt(&[control, "*", "--for", "1d", "--json"]).await;
        let error = refused.json()["error"].clone();
        assert_eq!((refused.code, &error["details"]["open_findings"]), (1, &json!(3)), "{refused:?}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("covers 3 {place}")) && message.ends_with("expected --yes"), "{message}");
    }
    let refused = bench.exempt(&[SSH, "sg-1", "--account", "*", "--for", "1d"]).await;
    assert!(refused.code == 1 && refused.err.contains("covers 1 open finding in "), "{refused:?}");
    assert_eq!(bench.run(&["exempt", "list"]).await.out, "no exemption\n", "nothing was added without --yes");
    let added = bench.exempt(&[SSH, "*", "--for", "1d", "--yes"]).await;
    assert!(added.code == 0 && added.out.ends_with(&format!("it covers 3 {place}\n")), "{added:?}");
}

#[tokio::test]
async fn breaker_of_a_resource_is_shown_with_its_attempts_and_closed() {
    let bench = Bench::create().await;
    let call = json!({ "RevokeSecurityGroupIngress": { "GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"] } });
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(record(&bench, "sg-1", &json!({}), &call).await);
    }
    assert_eq!(bench.run(&["breaker", "list"]).await.out, "no breaker is open\n", "no attempt was blocked by it yet");
    let list = ["breaker", "list", SSH, "sg-1"];
    let shown = bench.run(&list).await;
    assert!(shown.out.starts_with(&format!("{SSH} on sg-1 in {ACCOUNT} {REGION}: breaker open until ")), "{shown:?}");
    assert!(shown.out.contains(&ids.join(", ")), "{shown:?}");
    let mut blocked = bench.ledger().attempt(SSH, &ids[0]).await.unwrap().unwrap();
    blocked.id = new_id(Timestamp::now());
    blocked.actions.clear();
    blocked.outcome = Some(Outcome::BreakerOpen);
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_mins(1);
    let lease = bench.ledger().lease(&ResourcePath::of(&blocked.target), "a-remediation", now, until).await.unwrap();
    bench.ledger().finish(&lease, &blocked).await.unwrap();
    assert_eq!(bench.run(&["breaker", "list"]).await.out, shown.out, "listed without the resource");
    assert_eq!(bench.run(&["breaker", "list", ROOT_KEYS]).await.out, "no breaker is open\n");
    let reset = bench.run(&["breaker", "reset", SSH, "sg-1", "--reason", "pipeline fixed"]).await;
    assert!(reset.code == 0 && reset.out.starts_with(&format!("reset {SSH} on sg-1")), "{reset:?}");
    assert_eq!(bench.run(&list).await.out, "no breaker is open\n");
    assert_eq!(bench.run(&["breaker", "list"]).await.out, "no breaker is open\n", "closed, although still indexed");
    let nothing = bench.run(&["breaker", "reset", "--reason", "pipeline fixed"]).await;
    assert!(nothing.code == 2 && nothing.err.contains("<CONTROL>"), "{nothing:?}");
}

#[tokio::test]
async fn redo_requests_an_undone_fix_and_ends_its_hold() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let planned = bench.run(&["plan", SSH, &group, "--json"]).await;
    assert_eq!(planned.code, 1, "{planned:?}");
    let found = planned.json()["findings"][0].clone();
    let call = found["plan"]["steps"][0]["call"].clone();
    let attempt = record(&bench, &group, &found["subject"], &call).await;
    let bus = ["--bus", bench.sandbox.name.as_str()];
    let early = bench.run(&["redo", &attempt, bus[0], bus[1]]).await;
    assert!(early.code == 1 && early.err.contains("it was never undone"), "{early:?}");

    let rules = call["RevokeSecurityGroupIngress"]["SecurityGroupRuleIds"].as_array().unwrap();
    let rules = rules.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    let revoke = ec2.revoke_security_group_ingress().group_id(&group).set_security_group_rule_ids(Some(rules));
    revoke.send().await.unwrap();
    assert_eq!(bench.run(&["undo", &attempt, "--confirm-exposure"]).await.code, 0);
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new("AWS::EC2::SecurityGroup", &group),
        name: None,
        arn: None,
    };
    let (ledger, path) = (bench.ledger(), ResourcePath::of(&target));
    assert_eq!(ledger.holds(&path, Timestamp::now()).await.unwrap().len(), 1);
    let redo = bench.run(&["redo", &attempt, bus[0], bus[1]]).await;
    assert!(redo.code == 0 && redo.out.starts_with(&format!("requested {SSH} for ")), "{redo:?}");
    assert_eq!(ledger.holds(&path, Timestamp::now()).await.unwrap(), []);
    let announced = bench.sandbox.announced().await;
    let [(kind, detail)] = announced.as_slice() else { panic!("{announced:?}") };
    assert_eq!((kind.as_str(), &detail["resourceId"]), ("Rectify Remediation Requested", &json!(group)));
    assert_eq!(detail["configRuleName"], "rectify-restricted-ssh");
    // A remediation reads the request from the ledger, never from the event.
    let stored = ledger.request(detail["requestId"].as_str().unwrap()).await.unwrap().unwrap();
    assert!(stored.allows(SSH, &target, Timestamp::now()), "{stored:?}");
}

/// moto starts without a recorder and without the rules of this stack.
#[tokio::test]
async fn doctor_shows_every_check_and_exits_with_1() {
    let bench = Bench::create().await;
    let sqs = aws_sdk_sqs::Client::new(&bench.sandbox.sdk);
    let name = format!("{}-dead", bench.sandbox.name);
    let url = sqs.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
    let arguments = ["doctor", "--prefix", "absent-", "--queue", &name, "--json"];
    let seen = bench.run(&arguments).await;
    let checks = seen.json()["checks"].clone();
    let ok = |number: usize| (checks[number]["check"].clone(), checks[number]["ok"].as_bool().unwrap());
    assert_eq!(seen.code, 1, "{seen:?}");
    let all = [ok(1), ok(2), ok(3), ok(4)];
    let names = ["rules", "ledger", "stops", "queue"].map(|name| json!(name));
    assert_eq!(all, names.map(|name| (name.clone(), name != "rules")));
    assert_eq!(checks[0]["check"], "recorder");
    sqs.send_message().queue_url(&url).message_body("lost").send().await.unwrap();
    let text = bench.run(&arguments[..5]).await.out;
    assert!(text.contains(&format!("bad  queue     `{name}` has 1 message")), "{text}");
    assert!(
        text.contains("bad  rules     no rule is named `absent-…`: is the stack deployed in this account and region?"),
        "{text}"
    );
}
