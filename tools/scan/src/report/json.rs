//! The scan as it is: one JSON document, or one object a row.

use std::io;

use rectify_compliance::canonical::sorted;

use super::safe;
use crate::result::SCHEMA_VERSION;
use crate::{Row, Scan};

/// The scan as JSON, as `docs/schemas/scan.v1.schema.json` describes it.
///
/// # Errors
/// If the scan has no JSON form.
pub fn json(scan: &Scan) -> io::Result<String> {
    Ok(safe::json(&serde_json::to_string_pretty(scan)?) + "\n")
}

/// A row as one line of JSON, with its line feed.
///
/// # Errors
/// If the row has no JSON form.
pub fn jsonl(row: &Row) -> io::Result<String> {
    Ok(safe::json(&serde_json::to_string(row)?) + "\n")
}

/// The JSON Schema of [`json`], from the types.
#[must_use]
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Scan);
    schema.insert("title".to_owned(), format!("A scan of Rectify, version {SCHEMA_VERSION}").into());
    format!("{:#}\n", sorted(schema.to_value()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{HOSTILE, example, hostile};
    use serde_json::{Value, json};

    #[test]
    fn json_is_the_scan() {
        for scan in [example(), hostile()] {
            assert_eq!(serde_json::from_str::<Scan>(&json(&scan).unwrap()).unwrap(), scan);
        }
    }

    #[test]
    fn each_row_is_one_line() {
        let scan = hostile();
        let text: String = scan.rows.iter().map(|row| jsonl(row).unwrap()).collect();
        let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows, scan.rows);
        assert_eq!(rows.len(), HOSTILE.len() * 5);
    }

    #[test]
    fn keys_are_in_camel_case_and_the_status_is_beside_them() {
        let scan = example();
        let row: Value = serde_json::from_str(&jsonl(&scan.rows[4]).unwrap()).unwrap();
        let expected = json!({
            "control": "s3-bucket-public-read-prohibited", "account": "111122223333", "region": "us-east-1",
            "resourceType": "AWS::S3::Bucket", "resourceId": "example-logs", "arn": "arn:aws:s3:::example-logs",
            "status": "unreadable", "reason": "s3:GetBucketPolicy: AccessDenied",
        });
        assert_eq!(row, expected);
    }

    #[test]
    fn the_stored_schema_is_current() {
        let stored = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schemas/scan.v1.schema.json");
        assert_eq!(std::fs::read_to_string(stored).unwrap(), schema(), "cargo run -p xtask -- generate");
    }

    #[test]
    fn scans_match_the_schema_and_broken_ones_do_not() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let value = |scan: &Scan| serde_json::to_value(scan).unwrap();
        for scan in [example(), hostile()] {
            assert!(matches(&schema, &schema, &value(&scan)));
        }
        let broken = [
            ("/schemaVersion", json!(2)),
            ("/started", json!(0)),
            ("/rows/0/status", json!("fine")),
            ("/rows/0/reason", json!(null)),
            ("/rows/0/account", json!(111_122_223_333_u64)),
            ("/rows/0/plan/level", json!("L4")),
            ("/rows/0/plan/steps", json!({})),
            ("/places/0", json!({ "account": "111122223333" })),
        ];
        for (pointer, wrong) in broken {
            let mut scan = value(&example());
            *scan.pointer_mut(pointer).unwrap() = wrong;
            assert!(!matches(&schema, &schema, &scan), "{pointer}");
        }
    }

    /// Whether a value matches a schema, for the keywords that the schema of a scan has.
    fn matches(root: &Value, schema: &Value, value: &Value) -> bool {
        let Some(schema) = schema.as_object() else { return schema == true };
        schema.iter().all(|(keyword, rule)| match keyword.as_str() {
            "$ref" => matches(root, root.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value),
            "const" => value == rule,
            "type" => rule.as_array().map_or_else(|| is(rule, value), |types| types.iter().any(|it| is(it, value))),
            "required" => rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => rule
                .as_object()
                .unwrap()
                .iter()
                .all(|(key, rule)| value.get(key).is_none_or(|member| matches(root, rule, member))),
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| matches(root, rule, item))),
            "oneOf" => rule.as_array().unwrap().iter().filter(|it| matches(root, it, value)).count() == 1,
            "anyOf" => rule.as_array().unwrap().iter().any(|it| matches(root, it, value)),
            "$schema" | "$defs" | "title" | "description" | "format" | "default" | "minimum" => true,
            other => panic!("{other}: a keyword that this test does not know"),
        })
    }

    fn is(kind: &Value, value: &Value) -> bool {
        match kind.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64(),
            "null" => value.is_null(),
            other => panic!("{other}: a type that this test does not know"),
        }
    }
}
