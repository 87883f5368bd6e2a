//! Generated resource policies, as text: open and restricted statements, with and without spaces.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A statement for `resource`, with this `Sid`.
fn statement(sid: String, action: &'static str, resource: &'static str) -> impl Strategy<Value = Value> {
    let account = json!({"AWS": "111122223333"});
    let service = json!({"Service": "events.amazonaws.com"});
    let everyone = json!({"AWS": "*"});
    let principal = prop::sample::select(vec![json!("*"), everyone.clone(), everyone, account, service]);
    let condition = prop::sample::select(vec![
        json!({}),
        json!({}),
        json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:x:sns:*:111122223333:*"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
    ]);
    let effect = prop::sample::select(vec!["Allow", "Allow", "Allow", "Allow", "Deny"]);
    (effect, principal, condition).prop_map(move |(effect, principal, condition)| {
        json!({"Sid": sid, "Effect": effect, "Principal": principal, "Action": action, "Resource": resource,
               "Condition": condition})
    })
}

/// A policy with statements for this action on `resource`; `None` for a resource without one.
pub fn policies(action: &'static str, resource: &'static str) -> impl Strategy<Value = Option<String>> {
    let of = move |number: usize| (statement(format!("S{number}"), action, resource), any::<bool>());
    let statements = (0..4_usize).prop_flat_map(move |count| (0..count).map(of).collect::<Vec<_>>());
    let gap = prop::sample::select(vec!["", " ", "\n  "]);
    let text = (statements, gap).prop_map(|(statements, gap)| {
        let text = |(statement, is_pretty): &(Value, bool)| match is_pretty {
            true => format!("{statement:#}"),
            false => statement.to_string(),
        };
        let list: Vec<String> = statements.iter().map(text).collect();
        let list = list.join(&format!("{gap},{gap}"));
        format!(r#"{{"Version":{gap}"2012-10-17",{gap}"Statement":[{gap}{list}{gap}]{gap},"Id":"Statement"}}"#)
    });
    prop::option::weighted(0.95, text)
}
