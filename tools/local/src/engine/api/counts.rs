//! The operation that counts recorded resources.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{bad_next_token, page_size, put_token, request};
use crate::engine::Engine;
use crate::engine::error::ApiError;
use crate::engine::page::{Order, cut};
use crate::engine::shape::Violations;

/// The default page size.
const COUNTS_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    resource_types: Option<Vec<String>>,
    limit: Option<i64>,
    next_token: Option<String>,
}

/// The number of resources per type and in total. Types without resources are left out.
pub(in crate::engine) fn get_discovered_resource_counts(engine: &Engine, body: Value) -> Result<Value, ApiError> {
    let Counts { resource_types, limit, next_token } = request(body)?;
    let types = resource_types.unwrap_or_default();
    let mut violations = Violations::default();
    violations.count("resourceTypes", types.len(), 0, 20);
    for (number, name) in (1..).zip(&types) {
        violations.length(&format!("resourceTypes.{number}.member"), name, 1, 256);
    }
    violations.finish()?;

    let state = engine.lock();
    let mut counts = BTreeMap::<String, u64>::new();
    for item in state.history.all_latest().filter(|item| !item.deleted) {
        if types.is_empty() || types.contains(&item.key.resource_type) {
            *counts.entry(item.key.resource_type.clone()).or_default() += 1;
        }
    }
    let total: u64 = counts.values().sum();
    let keyed = counts.into_iter().map(|(kind, count)| (kind.clone(), json!({ "resourceType": kind, "count": count })));
    let query = format!("GetDiscoveredResourceCounts {types:?}");
    let size = page_size(limit, COUNTS_PAGE);
    let page = cut(&query, Order::Ascending, keyed, size, next_token.as_deref()).map_err(bad_next_token)?;
    let mut answer = json!({ "totalDiscoveredResources": total, "resourceCounts": page.items });
    put_token(&mut answer, "nextToken", page.next);
    Ok(answer)
}
