//! Operations that read recorded resources.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{bad_next_token, page_size, put_token, request};
use crate::engine::Engine;
use crate::engine::clock::{Epoch, iso};
use crate::engine::error::ApiError;
use crate::engine::item::{Item, ResourceKey};
use crate::engine::page::{Order, cut};
use crate::engine::shape::Violations;

/// The default page size of a history.
const HISTORY_PAGE: usize = 10;
/// The default page size of a resource list.
const RESOURCES_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct History {
    resource_type: Option<String>,
    resource_id: Option<String>,
    later_time: Option<Epoch>,
    earlier_time: Option<Epoch>,
    chronological_order: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

pub(in crate::engine) fn get_resource_config_history(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let History { resource_type, resource_id, later_time, earlier_time, chronological_order, limit, next_token } =
        request(body)?;
    let mut violations = Violations::default();
    let key = check_key(&mut violations, "", resource_type, resource_id);
    let order = chronological_order.as_deref().unwrap_or("Reverse");
    violations.one_of("chronologicalOrder", order, &["Reverse", "Forward"]);
    violations.finish()?;
    check_limit(limit)?;
    let earliest = earlier_time.map_or(Timestamp::MIN, |Epoch(time)| time);
    let latest = later_time.map_or(Timestamp::MAX, |Epoch(time)| time);
    if earliest > latest || earliest > engine.now() {
        let message =
            "The specified time range is not valid. The earlier time is not chronologically before the later time.";
        return Err(ApiError::new("InvalidTimeRangeException", message));
    }

    let state = engine.lock();
    let items = state.history.of(&key);
    if items.is_empty() {
        let message = format!(
            "Resource {} of resourceType:{} is unknown or has not been discovered",
            key.resource_id, key.resource_type
        );
        return Err(ApiError::new("ResourceNotDiscoveredException", message));
    }
    // Compared by the millisecond: a client sends no finer time, and the bounds are inclusive.
    let within = |item: &Item| {
        let time = item.captured.as_millisecond();
        (earliest.as_millisecond()..=latest.as_millisecond()).contains(&time)
    };
    let mut keyed: Vec<(String, &Item)> =
        items.iter().filter(|item| within(item)).map(|item| (iso(item.captured), &**item)).collect();
    let direction = if order == "Forward" { Order::Ascending } else { Order::Descending };
    if direction == Order::Descending {
        keyed.reverse();
    }
    let query = format!("GetResourceConfigHistory {key} {order} {earliest} {latest}");
    let size = page_size(limit, HISTORY_PAGE);
    let page = cut(&query, direction, keyed, size, next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "configurationItems": page.items.into_iter().map(Item::api).collect::<Vec<_>>() });
    put_token(&mut answer, "nextToken", page.next);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    resource_keys: Option<Vec<Key>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    resource_type: Option<String>,
    resource_id: Option<String>,
}

/// The newest item of each resource. Unknown and deleted resources are left out, as in AWS.
pub(in crate::engine) fn batch_get_resource_config(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let Batch { resource_keys } = request(body)?;
    let mut violations = Violations::default();
    violations.present("resourceKeys", resource_keys.as_ref());
    let keys = resource_keys.unwrap_or_default();
    violations.count("resourceKeys", keys.len(), 1, 100);
    let keys: Vec<ResourceKey> = (1..)
        .zip(keys)
        .map(|(number, key)| {
            let at = format!("resourceKeys.{number}.member.");
            check_key(&mut violations, &at, key.resource_type, key.resource_id)
        })
        .collect();
    violations.finish()?;

    let state = engine.lock();
    let latest = keys.iter().filter_map(|key| state.history.latest(key)).filter(|item| !item.deleted);
    let items: Vec<Value> = latest.map(|item| item.base()).collect();
    Ok(json!({ "baseConfigurationItems": items, "unprocessedResourceKeys": [] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discovered {
    resource_type: Option<String>,
    resource_ids: Option<Vec<String>>,
    resource_name: Option<String>,
    limit: Option<i64>,
    include_deleted_resources: Option<bool>,
    next_token: Option<String>,
}

pub(in crate::engine) fn list_discovered_resources(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let Discovered { resource_type, resource_ids, resource_name, limit, include_deleted_resources, next_token } =
        request(body)?;
    let ids = resource_ids.unwrap_or_default();
    let with_deleted = include_deleted_resources.unwrap_or_default();
    let mut violations = Violations::default();
    let kind = violations.required("resourceType", resource_type.as_deref());
    if resource_type.is_some() {
        violations.recordable_type("resourceType", kind);
    }
    violations.count("resourceIds", ids.len(), 0, 20);
    violations.finish()?;
    check_limit(limit)?;
    if !ids.is_empty() && resource_name.is_some() {
        let message = "You can specify either resource IDs or a resource name, but not both, in the same request.";
        return Err(ApiError::new("ValidationException", message));
    }

    let state = engine.lock();
    let selected = state.history.all_latest().filter(|item| {
        item.key.resource_type == kind
            && (with_deleted || !item.deleted)
            && (ids.is_empty() || ids.contains(&item.key.resource_id))
            && resource_name.as_deref().is_none_or(|name| item.name() == Some(name))
    });
    let keyed = selected.map(|item| (item.key.resource_id.clone(), identifier(item)));
    let query = format!("ListDiscoveredResources {kind} {ids:?} {resource_name:?} {with_deleted}");
    let size = page_size(limit, RESOURCES_PAGE);
    let page = cut(&query, Order::Ascending, keyed, size, next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "resourceIdentifiers": page.items });
    put_token(&mut answer, "nextToken", page.next);
    Ok(answer)
}

fn identifier(item: &Item) -> Value {
    let mut identifier = json!({ "resourceType": item.key.resource_type, "resourceId": item.key.resource_id });
    if let Some(members) = identifier.as_object_mut() {
        if let Some(name) = item.name() {
            members.insert("resourceName".to_owned(), name.into());
        }
        if item.deleted {
            members.insert("resourceDeletionTime".to_owned(), Epoch(item.captured).value());
        }
    }
    identifier
}

fn check_key(
    violations: &mut Violations,
    at: &str,
    resource_type: Option<String>,
    resource_id: Option<String>,
) -> ResourceKey {
    let (type_at, id_at) = (format!("{at}resourceType"), format!("{at}resourceId"));
    match &resource_type {
        Some(name) => violations.recordable_type(&type_at, name),
        None => violations.present(&type_at, resource_type.as_ref()),
    }
    match &resource_id {
        Some(id) => violations.length(&id_at, id, 1, 768),
        None => violations.present(&id_at, resource_id.as_ref()),
    }
    ResourceKey::new(resource_type.unwrap_or_default(), resource_id.unwrap_or_default())
}

fn check_limit(limit: Option<i64>) -> Result<(), ApiError> {
    let Some(limit) = limit.filter(|limit| !(0..=100).contains(limit)) else { return Ok(()) };
    let bound = if limit < 0 { "greater than or equal to 0" } else { "less than or equal to 100" };
    let message = format!("Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value {bound}");
    Err(ApiError::new("InvalidLimitException", message))
}
