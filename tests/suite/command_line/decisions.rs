//! The commands for exemptions, breakers, `redo` and `doctor`.

use rectify_compliance::{AccountId, Region, ResourceKey};
use rectify_runtime::ledger::Outcome;

use super::*;

#[tokio::test]
async fn exemption_is_added_listed_ended_and_recorded() {
    let bench = Bench::create().await;
    let add = ["exempt", "add", "--control", SSH, "--resource", "sg-*", "--until", "2099-03-31", "--reason", "vendor"];
    let mut arguments = add.to_vec();
    arguments.extend(["--approver", "jane", "--ticket", "SEC-1", "--json"]);
    let added = bench.run(&arguments).await;
    let exemption = added.json()["exemption"].clone();
    assert_eq!((added.code, &exemption["until"]), (0, &json!("2099-03-31T00:00:00Z")), "{added:?}");
    assert_eq!((&exemption["selector"], &exemption["account"]), (&json!("resource:sg-*"), &json!(ACCOUNT)));
    let id = exemption["id"].as_str().unwrap();
    let listed = bench.run(&["exempt", "list"]).await;
    let line = listed.out.lines().nth(1).unwrap();
    assert!(line.starts_with(id) && line.contains("resource:sg-*  2099-03-31 00:00:00Z  jane"), "{listed:?}");
    assert_eq!(bench.run(&["exempt", "list", "--control", ROOT_KEYS]).await.out, "no exemption\n");

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

    let past = ["--until", "2020-01-01", "--reason", "r", "--approver", "a", "--ticket", "t"];
    let mut arguments = vec!["exempt", "add", "--control", "*", "--tag", "team=web"];
    arguments.extend(past);
    let refused = bench.run(&arguments).await;
    assert!(refused.code == 2 && refused.err.contains("expected a future date"), "{refused:?}");
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
    let list = ["breaker", "list", SSH, "--resource", "sg-1"];
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
    assert_eq!(bench.run(&["breaker", "list"]).await.out, shown.out, "listed without `--resource`");
    assert_eq!(bench.run(&["breaker", "list", ROOT_KEYS]).await.out, "no breaker is open\n");
    let reset = bench.run(&["breaker", "reset", SSH, "--resource", "sg-1", "--reason", "pipeline fixed"]).await;
    assert!(reset.code == 0 && reset.out.starts_with(&format!("reset {SSH} on sg-1")), "{reset:?}");
    assert_eq!(bench.run(&list).await.out, "no breaker is open\n");
    assert_eq!(bench.run(&["breaker", "list"]).await.out, "no breaker is open\n", "closed, although still indexed");
    let nothing = bench.run(&["breaker", "reset", "--reason", "r"]).await;
    assert!(nothing.code == 2 && nothing.err.contains("expected a control"), "{nothing:?}");
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
    assert_eq!((ok(1), ok(2), ok(3)), ((json!("rules"), false), (json!("ledger"), true), (json!("queue"), true)));
    assert_eq!(checks[0]["check"], "recorder");
    sqs.send_message().queue_url(&url).message_body("lost").send().await.unwrap();
    let text = bench.run(&arguments[..5]).await.out;
    assert!(text.contains(&format!("bad  queue     `{name}` holds 1 message(s)")), "{text}");
    assert!(
        text.contains("bad  rules     no rule is named `absent-…`: is the stack deployed in this account and region?"),
        "{text}"
    );
}
