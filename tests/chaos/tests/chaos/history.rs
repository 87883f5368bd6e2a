//! The steps of a history as text, printed with a violation.

use std::collections::BTreeMap;

use rectify_chaos::actor::{ActorKind, Entry, Event};
use rectify_chaos::vaults::{Vault, id_of};
use rectify_runtime::ledger::{Attempt, Outcome};
use serde_json::Value;

/// The attempt that a write to the ledger stores, if any: the body of its item.
pub(super) fn stored(input: &Value) -> Result<Option<Attempt>, String> {
    let writes = input["TransactItems"].as_array().into_iter().flatten();
    let puts = writes.map(|write| &write["Put"]["Item"]).chain([&input["Item"]]);
    let body = puts.filter_map(|item| item["body"]["S"].as_str()).next();
    body.map(|text| serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))).transpose()
}

/// One step as text.
pub(super) fn line(entry: &Entry) -> String {
    let kind = match &entry.kind {
        ActorKind::Delivery { control, id, .. } => format!("delivery {} of {} on {id}", entry.actor, id_of(*control)),
        ActorKind::Undo { attempt, id, .. } => format!("undo {} of {attempt} on {id}", entry.actor),
        other => format!("{other:?} ({})", entry.actor),
    };
    let event = match &entry.event {
        Event::Committed(operation, input) => match stored(input) {
            Ok(Some(it)) => {
                let outcome = it.outcome.map_or("-", Outcome::name);
                let actions: Vec<String> = it
                    .actions
                    .iter()
                    .map(|it| {
                        let known = if it.receipt.is_some() { "" } else { " (unknown)" };
                        format!("{}{known}", it.action)
                    })
                    .collect();
                let undo =
                    it.undo.as_ref().map_or("", |undo| if undo.finished_at.is_some() { " undone" } else { " undoing" });
                format!("saves {} {}{undo} {outcome} [{}] {}", it.id, it.state.name(), actions.join(", "), it.reason)
            }
            _ => {
                let update = input["UpdateExpression"].as_str().unwrap_or_default();
                let key = input["Key"]["sk"]["S"].as_str().unwrap_or_default();
                format!("{operation} {key} {update}")
            }
        },
        Event::Read(vault) => format!("reads {}", text(vault)),
        Event::Wrote(call, region, before, after) => {
            format!("{call:?} in {region}: {} -> {}", text(before), text(after))
        }
        Event::Settled(_, after) => format!("settles {}", text(after)),
        Event::LeaseOver(reason) => format!("loses its lease: {reason}"),
        Event::Ended(result) => format!("ends: {result}"),
    };
    format!("{kind}: {event}")
}

fn text(vault: &Vault) -> String {
    let Vault { bolts, policy, retention, busy, keys, logging, .. } = vault;
    let on = |parts: &BTreeMap<String, bool>| {
        parts.iter().map(|(name, on)| format!("{name}{}", if *on { "!" } else { "" })).collect::<Vec<_>>().join(" ")
    };
    let policy = policy.iter().cloned().collect::<Vec<_>>().join(" ");
    format!("({}; {policy}; {retention}{}; {}; {logging})", on(bolts), if *busy { " busy" } else { "" }, on(keys))
}
