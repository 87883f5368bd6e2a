//! What an advanced query over an AWS Config aggregator returns, as recorded items.
//!
//! A query returns the configuration of a resource, its tags and its relationships, and only parts of its supplementary
//! configuration: a policy that is absent may exist. Types whose controls read that are not queried.

use rectify_compliance::ShapeError;
use serde_json::{Map, Value};

use crate::judges::{Judges, about_all};
use crate::snapshot::{Found, item, judge_with};
use crate::{Outcome, Place, Row};

/// The types whose verdict depends on the supplementary configuration.
const SUPPLEMENTED: [&str; 1] = ["AWS::S3::Bucket"];

/// The members of an item that a query can select.
const MEMBERS: &str = "accountId, awsRegion, resourceType, resourceId, resourceName, arn, configurationItemStatus, \
                       configurationItemCaptureTime, configuration, tags, relationships";

/// The types to query: those of the controls that evaluate items, in alphabetical order.
pub fn types(judges: &Judges) -> Vec<&'static str> {
    let mut types: Vec<_> = judges.evaluated().flat_map(|control| control.meta.resource_types).copied().collect();
    types.retain(|kind| !SUPPLEMENTED.contains(kind));
    types.sort_unstable();
    types.dedup();
    types
}

/// The query for all resources of a type.
#[must_use]
pub fn query(kind: &str) -> String {
    format!("SELECT {MEMBERS} WHERE resourceType = '{kind}'")
}

/// What a result of [`query`] turned out to be; `position` is its place among those of its type, from 1.
pub fn judge(judges: &Judges, kind: &str, position: u64, result: &str) -> Found {
    let read = |result: &str| {
        let invalid = |error| ShapeError::new("result", "a JSON object", error);
        let value = serde_json::from_str(result).map_err(invalid)?;
        item::of_value(as_notification(value))
    };
    judge_with(judges, position, read(result), || (Some(kind.to_owned()), id(result)))
}

/// A row for each control and type that is not queried.
pub fn unanswered(judges: &Judges, place: &Place) -> Vec<Row> {
    let mut rows = judges.not_scanned(place);
    for control in judges.evaluated() {
        for kind in control.meta.resource_types.iter().filter(|kind| SUPPLEMENTED.contains(kind)) {
            let reason = format!(
                "queries of AWS Config return only parts of the supplementary configuration of {kind}: scan the live \
                 account or a snapshot"
            );
            let row = about_all(control, place, Outcome::NotScanned { reason });
            rows.push(Row { resource_type: (*kind).to_owned(), ..row });
        }
    }
    rows
}

fn id(result: &str) -> Option<String> {
    serde_json::from_str::<Value>(result).ok()?.get("resourceId")?.as_str().map(str::to_owned)
}

/// Tags are a list in a query's result and an object in an item.
fn as_notification(mut result: Value) -> Value {
    if let Some(Value::Array(list)) = result.get("tags") {
        let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        let pair = |tag: &Value| Some((text(tag, "key")?, text(tag, "value").unwrap_or_default().into()));
        let tags: Map<String, Value> = list.iter().filter_map(pair).collect();
        if let Some(result) = result.as_object_mut() {
            result.insert("tags".to_owned(), tags.into());
        }
    }
    result
}

#[cfg(test)]
mod tests;
