//! Differences as people read them.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn rule(id: Option<&str>, port: u16) -> Value {
    json!({ "id": id, "protocol": "tcp", "fromPort": port, "toPort": port, "peer": { "cidrIpv4": "0.0.0.0/0" },
        "description": "why it is here", "tags": {} })
}

#[test]
fn change_is_shown_by_path_and_value() {
    let statement = |action: &str| json!({ "Sid": "read", "Effect": "Allow", "Action": action });
    let policy = |statements: Value| json!({ "policy": json!({ "Statement": statements }).to_string() });
    let rows: [(Value, Value, &[&str]); 14] = [
        (json!({ "a": 1 }), json!({ "a": 1 }), &[]),
        (json!({ "a": { "b": false } }), json!({ "a": { "b": true } }), &["- a.b: false", "+ a.b: true"]),
        (json!({ "a": null }), json!({ "a": "x y" }), &["+ a: \"x y\""]),
        (json!({ "a": "x" }), json!({}), &["- a: x"]),
        (json!({ "a": [] }), json!({ "a": null }), &[]),
        (json!({ "a": "off" }), json!({ "a": { "on": { "days": 365 } } }), &["- a: off", "+ a.on.days: 365"]),
        (json!({ "a": ["x", "y"] }), json!({ "a": ["y", "z"] }), &["- a[]: x", "+ a[]: z"]),
        (
            json!({ "rules": [rule(Some("sgr-1"), 22), rule(Some("sgr-2"), 443)] }),
            json!({ "rules": [rule(Some("sgr-2"), 443)] }),
            &[
                "- rules[sgr-1]: description=\"why it is here\" fromPort=22 peer.cidrIpv4=0.0.0.0/0 protocol=tcp toPort=22",
            ],
        ),
        (
            json!({ "rules": [rule(None, 443)] }),
            json!({ "rules": [rule(None, 443), rule(None, 22)] }),
            &["+ rules[]: description=\"why it is here\" fromPort=22 peer.cidrIpv4=0.0.0.0/0 protocol=tcp toPort=22"],
        ),
        (json!({ "a": [{ "b": 1, "tags": { "Name": "x" } }] }), json!({ "a": [] }), &["- a[]: b=1 tags.Name=x"]),
        (
            json!({ "trails": [{ "trail": { "name": "main" }, "status": { "isLogging": false } }] }),
            json!({ "trails": [{ "trail": { "name": "main" }, "status": { "isLogging": true } }] }),
            &["- trails[main].status.isLogging: false", "+ trails[main].status.isLogging: true"],
        ),
        (
            policy(statement("s3:Get")),
            policy(json!([{ "Sid": "deny", "Effect": "Deny" }, statement("s3:Get")])),
            &["+ policy.Statement[deny]: Effect=Deny"],
        ),
        (
            policy(json!([statement("s3:Get")])),
            policy(json!([statement("s3:*")])),
            &["- policy.Statement[read].Action: s3:Get", "+ policy.Statement[read].Action: s3:*"],
        ),
        (json!({ "policy": null }), policy(json!([{ "Sid": "a" }])), &["+ policy.Statement[a].Sid: a"]),
    ];
    for (before, after, expected) in rows {
        assert_eq!(lines(&before, &after), expected, "{before} {after}");
    }
}

#[test]
fn elements_are_matched_by_a_key_that_is_unique() {
    let trail = |region: &str, on: bool| json!({ "name": "main", "arn": format!("arn:{region}"), "on": on });
    let before = json!({ "trails": [trail("a", false), trail("b", true)] });
    let after = json!({ "trails": [trail("b", true), trail("a", true)] });
    assert_eq!(lines(&before, &after), ["- trails[arn:a].on: false", "+ trails[arn:a].on: true"]);
}

#[test]
fn hostile_names_are_quoted_and_escaped() {
    let after = json!({ "tags": { "a: b": "\u{1b}[2K\u{202e}\n+ fake: true" } });
    let expected = r#"+ tags["a: b"]: "\u{1b}[2K\u{202e}\n+ fake: true""#;
    assert_eq!(lines(&json!({ "tags": {} }), &after), [expected]);
}

#[test]
fn the_difference_reversed_removes_what_was_added() {
    let (before, after) = (json!({ "a": 1, "b": ["x"] }), json!({ "a": 2, "c": { "d": "e" } }));
    let mut forward = lines(&before, &after);
    let mut back: Vec<String> = lines(&after, &before)
        .iter()
        .map(|line| match line.strip_prefix("- ") {
            Some(rest) => format!("+ {rest}"),
            None => line.replacen("+ ", "- ", 1),
        })
        .collect();
    forward.sort();
    back.sort();
    assert_eq!(forward, back);
}

#[test]
fn summary_counts_a_pair_of_lines_as_one_change() {
    let (before, after) = (json!({ "a": 1, "b": ["x", "y"] }), json!({ "a": 2, "b": ["z"], "c": 3 }));
    assert_eq!(summary(&lines(&before, &after)).unwrap(), "1 removed, 1 added, 2 changed");
    assert_eq!(summary(&[]), None);
}
