//! Exemptions, breakers, a fix that is wanted again, and the doctor, as a person types them.

use rectify_compliance::{AccountId, Region, ResourceKey};
use rectify_runtime::ledger::Outcome;

use super::*;

#[tokio::test]
async fn exemption_is_added_listed_ended_and_recorded() {
    let bench = Bench::create().await;
    let add = ["exempt", "add", "--control", SSH, "--resource", "sg-*", "--until", "2099-03-31", "--reason", "vendor"];
    let mut words = add.to_vec();
    words.extend(["--approver", "jane", "--ticket", "SEC-1", "--json"]);
    let added = bench.run(&words).await;
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
    let what: Vec<&str> = acts.iter().map(|act| act.what.as_str()).collect();
    assert_eq!(what, [format!("exempt add {SSH} {ACCOUNT} resource:sg-*"), format!("exempt end {id}")]);
    assert!(acts.iter().all(|act| act.by == "ada"), "{acts:?}");

    let past = ["--until", "2020-01-01", "--reason", "r", "--approver", "a", "--ticket", "t"];
    let mut words = vec!["exempt", "add", "--control", "*", "--tag", "team=web"];
    words.extend(past);
    let refused = bench.run(&words).await;
    assert!(refused.code == 2 && refused.err.contains("expected a day to come"), "{refused:?}");
}

#[tokio::test]
async fn breaker_of_a_resource_is_shown_with_its_attempts_and_closed() {
    let bench = Bench::create().await;
    let call = json!({ "RevokeSecurityGroupIngress": { "GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"] } });
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(record(&bench, "sg-1", &json!({}), &call).await);
    }
    assert_eq!(bench.run(&["breaker", "list"]).await.out, "no breaker is open\n", "it was not met yet");
    let look = ["breaker", "list", SSH, "--resource", "sg-1"];
    let shown = bench.run(&look).await;
    assert!(shown.out.starts_with(&format!("{SSH} on sg-1 in {ACCOUNT} {REGION}: breaker open until ")), "{shown:?}");
    assert!(shown.out.contains(&ids.join(", ")), "{shown:?}");
    let mut met = bench.ledger().attempt(SSH, &ids[0]).await.unwrap().unwrap();
    met.id = new_id(Timestamp::now());
    met.actions.clear();
    met.outcome = Some(Outcome::BreakerOpen);
    let now = Timestamp::now();
    let until = now + jiff::SignedDuration::from_mins(1);
    let lease = bench.ledger().lease(&ResourcePath::of(&met.target), "a-remediation", now, until).await.unwrap();
    bench.ledger().finish(&lease, &met).await.unwrap();
    assert_eq!(bench.run(&["breaker", "list"]).await.out, shown.out, "without being named");
    assert_eq!(bench.run(&["breaker", "list", ROOT_KEYS]).await.out, "no breaker is open\n");
    let reset = bench.run(&["breaker", "reset", SSH, "--resource", "sg-1", "--reason", "pipeline mended"]).await;
    assert!(reset.code == 0 && reset.out.starts_with(&format!("reset {SSH} on sg-1")), "{reset:?}");
    assert_eq!(bench.run(&look).await.out, "no breaker is open\n");
    assert_eq!(bench.run(&["breaker", "list"]).await.out, "no breaker is open\n", "registered, and closed");
    let nothing = bench.run(&["breaker", "reset", "--reason", "r"]).await;
    assert!(nothing.code == 2 && nothing.err.contains("expected a control"), "{nothing:?}");
}

#[tokio::test]
async fn fix_that_was_undone_is_asked_for_again_and_its_hold_ends() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.world.sdk);
    let group = open_group(&ec2, &bench.world.name).await;
    let planned = bench.run(&["plan", SSH, &group, "--json"]).await;
    assert_eq!(planned.code, 1, "{planned:?}");
    let found = planned.json()["findings"][0].clone();
    let call = found["plan"]["steps"][0]["call"].clone();
    let attempt = record(&bench, &group, &found["subject"], &call).await;
    let bus = ["--bus", bench.world.name.as_str()];
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
    let asked = bench.run(&["redo", &attempt, bus[0], bus[1]]).await;
    assert!(asked.code == 0 && asked.out.starts_with(&format!("asked {SSH} to look at ")), "{asked:?}");
    assert_eq!(ledger.holds(&path, Timestamp::now()).await.unwrap(), []);
    let told = bench.world.announced().await;
    let [(kind, detail)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((kind.as_str(), &detail["resourceId"]), ("Rectify Remediation Requested", &json!(group)));
    assert_eq!(detail["configRuleName"], "rectify-restricted-ssh");
    // A remediation takes the request from the ledger, never from the event.
    let stored = ledger.request(detail["requestId"].as_str().unwrap()).await.unwrap().unwrap();
    assert!(stored.allows(SSH, &target, Timestamp::now()), "{stored:?}");
}

/// moto has no recorder until somebody makes one, and no rule of ours.
#[tokio::test]
async fn doctor_shows_every_check_and_ends_with_a_finding() {
    let bench = Bench::create().await;
    let sqs = aws_sdk_sqs::Client::new(&bench.world.sdk);
    let name = format!("{}-dead", bench.world.name);
    let url = sqs.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
    let words = ["doctor", "--prefix", "nobody-", "--queue", &name, "--json"];
    let seen = bench.run(&words).await;
    let checks = seen.json()["checks"].clone();
    let ok = |number: usize| (checks[number]["check"].clone(), checks[number]["ok"].as_bool().unwrap());
    assert_eq!(seen.code, 1, "{seen:?}");
    assert_eq!((ok(1), ok(2), ok(3)), ((json!("rules"), false), (json!("ledger"), true), (json!("queue"), true)));
    assert_eq!(checks[0]["check"], "recorder");
    sqs.send_message().queue_url(&url).message_body("lost").send().await.unwrap();
    let text = bench.run(&words[..5]).await.out;
    assert!(text.contains(&format!("bad  queue     `{name}` holds 1 message(s)")), "{text}");
    assert!(text.contains("bad  rules     none is named `nobody-…`: is the stack deployed here?"), "{text}");
}
