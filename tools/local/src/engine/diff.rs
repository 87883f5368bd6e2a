//! The `configurationItemDiff` of a notification: the difference between two items of one resource.
//!
//! The shape follows captured events: dotted paths with capitalized segments; a list is compared as a set, and its
//! removed and added members are numbered together.

use serde_json::{Map, Value, json};

use super::item::Item;

/// The change type of an item against the one before it: `CREATE`, `UPDATE` or `DELETE`.
pub(super) fn change_type(previous: Option<&Item>, next: &Item) -> &'static str {
    match previous {
        _ if next.deleted => "DELETE",
        Some(previous) if !previous.deleted => "UPDATE",
        _ => "CREATE",
    }
}

/// The diff of `next` against `previous`, as in `invokingEvent`.
pub(super) fn between(previous: Option<&Item>, next: &Item) -> Value {
    let change = change_type(previous, next);
    let mut changed = Map::new();
    if let Some(previous) = previous.filter(|_| change != "CREATE") {
        if change == "DELETE" {
            put(&mut changed, "Configuration", previous.field("configuration"), &Value::Null);
        } else {
            walk(&mut changed, "Configuration", previous.field("configuration"), next.field("configuration"));
        }
        let supplementary = "supplementaryConfiguration";
        walk(&mut changed, "SupplementaryConfiguration", previous.field(supplementary), next.field(supplementary));
        walk(&mut changed, "Relationships", previous.field("relationships"), next.field("relationships"));
        walk(&mut changed, "Tags", &listed(previous.field("tags")), &listed(next.field("tags")));
    }
    json!({ "changedProperties": changed, "changeType": change })
}

fn walk(changed: &mut Map<String, Value>, path: &str, previous: &Value, next: &Value) {
    match (previous, next) {
        _ if previous == next => {}
        (Value::Object(before), Value::Object(after)) => {
            let added = after.keys().filter(|name| !before.contains_key(*name));
            for name in before.keys().chain(added) {
                let side = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
                walk(changed, &format!("{path}.{}", capitalized(name)), &side(before), &side(after));
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let removed = before.iter().filter(|member| !after.contains(member)).map(|member| (member, &Value::Null));
            let added = after.iter().filter(|member| !before.contains(member)).map(|member| (&Value::Null, member));
            let mut numbered = removed.chain(added).enumerate().peekable();
            if numbered.peek().is_none() {
                // The same members, reordered or repeated: only the list as a whole changed.
                put(changed, path, previous, next);
            }
            for (number, (old, new)) in numbered {
                put(changed, &format!("{path}.{number}"), old, new);
            }
        }
        _ => put(changed, path, previous, next),
    }
}

fn put(changed: &mut Map<String, Value>, path: &str, previous: &Value, next: &Value) {
    let change = match (previous, next) {
        (Value::Null, _) => "CREATE",
        (_, Value::Null) => "DELETE",
        _ => "UPDATE",
    };
    changed.insert(path.to_owned(), json!({ "previousValue": previous, "updatedValue": next, "changeType": change }));
}

/// Tags are a map in the item and a list of pairs in the diff.
fn listed(tags: &Value) -> Value {
    let pairs = tags.as_object().into_iter().flatten();
    pairs.map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

fn capitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::engine::item::tests::bucket;

    fn item(change: impl FnOnce(&mut Value)) -> Item {
        let mut body = bucket("logs", "2026-03-04T05:06:07.512Z", json!({"team": "blue"}));
        change(&mut body);
        Item::parse(body).unwrap()
    }

    #[test]
    fn first_item_and_item_after_a_deletion_are_created() {
        let first = item(|_| ());
        let created = json!({"changedProperties": {}, "changeType": "CREATE"});
        assert_eq!(between(None, &first), created);
        assert_eq!(between(Some(&first.deletion(first.captured)), &first), created);
    }

    #[test]
    fn update_lists_each_changed_path() {
        let before = item(|body| body["configuration"]["groups"] = json!([{"id": "a"}, {"id": "b"}]));
        let after = item(|body| {
            body["configuration"]["groups"] = json!([{"id": "b"}, {"id": "c"}]);
            body["configuration"]["owner"]["id"] = json!("0b");
            body["supplementaryConfiguration"]["PublicAccessBlockConfiguration"] = json!({"blockPublicAcls": true});
            body["tags"] = json!({"team": "red"});
        });
        assert_eq!(
            between(Some(&before), &after),
            json!({
                "changeType": "UPDATE",
                "changedProperties": {
                    "Configuration.Groups.0": {"previousValue": {"id": "a"}, "updatedValue": null, "changeType": "DELETE"},
                    "Configuration.Groups.1": {"previousValue": null, "updatedValue": {"id": "c"}, "changeType": "CREATE"},
                    "Configuration.Owner.Id": {"previousValue": "0a", "updatedValue": "0b", "changeType": "UPDATE"},
                    "SupplementaryConfiguration.PublicAccessBlockConfiguration":
                        {"previousValue": null, "updatedValue": {"blockPublicAcls": true}, "changeType": "CREATE"},
                    "Tags.0": {"previousValue": {"key": "team", "value": "blue"}, "updatedValue": null, "changeType": "DELETE"},
                    "Tags.1": {"previousValue": null, "updatedValue": {"key": "team", "value": "red"}, "changeType": "CREATE"}
                }
            })
        );
    }

    #[test]
    fn reordered_list_is_a_change_of_the_list() {
        let before = item(|body| body["configuration"] = json!({"ports": [1, 2]}));
        let after = item(|body| body["configuration"] = json!({"ports": [2, 1]}));
        let diff = between(Some(&before), &after);
        assert_eq!(
            diff["changedProperties"],
            json!({"Configuration.Ports": {"previousValue": [1, 2], "updatedValue": [2, 1], "changeType": "UPDATE"}})
        );
    }

    #[test]
    fn deletion_keeps_the_last_configuration() {
        let before = item(|_| ());
        let diff = between(Some(&before), &before.deletion(before.captured));
        assert_eq!(diff["changeType"], "DELETE");
        let configuration = &diff["changedProperties"]["Configuration"];
        assert_eq!(configuration["previousValue"], *before.field("configuration"));
        assert_eq!(configuration["updatedValue"], Value::Null);
        assert_eq!(diff["changedProperties"]["Relationships.0"]["changeType"], "DELETE");
        assert_eq!(diff["changedProperties"]["Tags.0"]["previousValue"], json!({"key": "team", "value": "blue"}));
    }
}
