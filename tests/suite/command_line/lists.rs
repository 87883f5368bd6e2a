//! The lists: attempts by time, what people decided, holds.

use super::*;

/// The call of a fix.
fn call() -> Value {
    json!({ "RevokeSecurityGroupIngress": { "GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"] } })
}

#[tokio::test]
async fn history_lists_attempts_by_time_control_outcome_and_account() {
    let bench = Bench::create().await;
    let table = bench.sandbox.name.as_str();
    let empty = bench.run(&["history", "--since", "1h"]).await;
    assert!(empty.code == 0 && empty.out.starts_with("no attempt since ") && empty.out.contains(table), "{empty:?}");
    let first = record(&bench, "sg-1", &json!({}), &call()).await;
    let second = record(&bench, "sg-2", &json!({}), &call()).await;
    let list = async |arguments: &[&str]| {
        let ran = bench.run(&[&["history"], arguments, &["--json"]].concat()).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let attempts = ran.json()["attempts"].as_array().unwrap().clone();
        attempts.iter().map(|it| it["attempt"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (both, none) = ([first.as_str(), second.as_str()], [""; 0]);
    assert_eq!(list(&[]).await, both);
    assert_eq!(list(&[SSH, "--since", "1h"]).await, both);
    assert_eq!(list(&[ROOT_KEYS]).await, none);
    assert_eq!(list(&["--outcome", "planned"]).await, none);
    assert_eq!(list(&["--outcome", "planned", "--outcome", "verified"]).await, both);
    assert_eq!(list(&["--account", ACCOUNT]).await, both);
    assert_eq!(list(&["--account", "444455556666"]).await, none);

    let text = bench.run(&["history"]).await.out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("STARTED") && lines[0].ends_with("OUTCOME   REASON"), "{text}");
    assert!(
        lines[1].contains(&first) && lines[1].ends_with(&format!("sg-1      {ACCOUNT}  verified  closed")),
        "{text}"
    );
    assert_eq!(lines.last().copied(), Some("restricted-ssh: 2 verified"), "{text}");
    let counts = bench.run(&["history", "--output", "json"]).await.json()["counts"].clone();
    assert_eq!(counts, json!({ SSH: { "verified": 2 } }));
    let csv = bench.run(&["history", SSH, "--output", "csv"]).await.out;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("\"startedAt\",\"attempt\",\"control\",\"account\""), "{csv}");
    let expected = format!("\"{second}\",\"{SSH}\",\"{ACCOUNT}\",\"{REGION}\",\"AWS::EC2::SecurityGroup\",\"sg-2\"");
    assert!(lines[2].contains(&expected), "{csv}");
}

#[tokio::test]
async fn audit_lists_what_people_did() {
    let bench = Bench::create().await;
    assert!(bench.run(&["audit"]).await.out.starts_with("no decision since "));
    for arguments in [
        &["stop", SSH, "--reason", "incident 42"][..],
        &["resume", SSH],
        &["hold", SSH, "sg-1", "--reason", "migration"],
        &["hold", "end", SSH, "sg-1"],
        &["breaker", "reset", SSH, "--reason", "pipeline fixed"],
        &["exempt", SSH, "sg-1", "--for", "1d", "--reason", "vendor", "--approver", "jane", "--ticket", "SEC-1"],
    ] {
        assert_eq!(bench.run(arguments).await.code, 0, "{arguments:?}");
    }
    let audit = bench.run(&["audit", "--since", "1h", "--json"]).await.json();
    let acts = audit["acts"].as_array().unwrap();
    let of = |name: &str| acts.iter().map(|it| it[name].as_str().unwrap()).collect::<Vec<_>>();
    let begins = |(what, start): (&&str, &&str)| what.starts_with(*start);
    let expected = [
        "stop restricted-ssh",
        "resume restricted-ssh",
        "hold add restricted-ssh ",
        "hold end restricted-ssh ",
        "breaker reset restricted-ssh",
        "exempt add restricted-ssh ",
    ];
    assert!(acts.len() == 6 && of("what").iter().zip(&expected).all(begins), "{acts:?}");
    assert_eq!(of("why"), ["incident 42", "", "migration", "", "pipeline fixed", "vendor (jane, SEC-1)"]);
    assert_eq!(of("by"), ["ada"; 6]);
    for arn in of("by_arn") {
        assert!(arn.starts_with("arn:aws:") && arn.contains(ACCOUNT), "{arn}");
    }
    let text = bench.run(&["audit"]).await.out;
    assert!(text.starts_with("AT") && text.lines().count() == 7 && text.contains("incident 42"), "{text}");
    let csv = bench.run(&["audit", "--output", "csv"]).await.out;
    assert!(csv.starts_with("\"at\",\"by\",\"byArn\",\"what\",\"why\"\r\n") && csv.lines().count() == 7, "{csv}");
}

#[tokio::test]
async fn hold_is_listed_until_it_is_ended() {
    let bench = Bench::create().await;
    let about = [SSH, "sg-1"];
    let add = [&["hold"], &about[..], &["--reason", "migration", "--for", "3d"]].concat();
    assert_eq!(bench.run(&add).await.code, 0);
    let list = ["hold", "list", SSH, "sg-1", "--json"];
    let mut listed = bench.run(&list).await.json();
    let until: Timestamp = listed["holds"][0]["until"].take().as_str().unwrap().parse().unwrap();
    let hours = until.duration_since(Timestamp::now()).as_hours();
    assert!((71..=72).contains(&hours), "{hours}");
    let resource = json!({ "type": "AWS::EC2::SecurityGroup", "id": "sg-1" });
    let hold = json!({ "control": SSH, "by": "ada", "reason": "migration", "until": null });
    assert_eq!(listed, json!({ "resource": resource, "holds": [hold] }));
    let end = [&["hold", "end"], &about[..]].concat();
    assert!(bench.run(&end).await.out.starts_with("ended the hold of ada on AWS::EC2::SecurityGroup sg-1"));
    assert!(bench.run(&end).await.out.ends_with("nothing to end\n"));
    assert_eq!(bench.run(&list).await.json(), json!({ "resource": resource, "holds": [] }));
}

#[tokio::test]
async fn hold_list_without_arguments_shows_all_holds() {
    let bench = Bench::create().await;
    assert_eq!(bench.run(&["hold", "list"]).await.out, "no hold\n");
    for (control, resource) in [(SSH, "sg-1"), (SSH, "sg-2"), ("s3-bucket-public-read-prohibited", "pics")] {
        assert_eq!(bench.run(&["hold", control, resource, "--reason", "migration"]).await.code, 0);
    }
    let list = async |arguments: &[&str]| {
        let json = bench.run(&[&["hold", "list", "--json"], arguments].concat()).await.json();
        let holds = json["holds"].as_array().unwrap().clone();
        holds.iter().map(|it| it["resource"]["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(list(&[]).await, ["sg-1", "sg-2", "pics"]);
    assert_eq!(list(&[SSH]).await, ["sg-1", "sg-2"]);
    assert_eq!(list(&["--account", "444455556666"]).await, [""; 0]);
    bench.run(&["hold", "end", SSH, "sg-1"]).await;
    assert_eq!(list(&[SSH]).await, ["sg-2"]);
    let text = bench.run(&["hold", "list", SSH]).await.out;
    assert!(text.contains(&format!("{SSH}  sg-2      {ACCOUNT}  {REGION}")) && text.contains("migration"), "{text}");
}
