//! Findings as SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! A resource has no file, so its place is a logical location; one that a template declares has its file and line, too.
//! Only findings are results: what has no verdict is a notification of the tool, and no result is ever a pass.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rectify_compliance::Severity;
use serde_json::{Value, json};

use super::finding::{docs, id, meta, reason, requirements, section, severity_name, title};
use super::safe::{self, visible};
use crate::judges::ALL;
use crate::result::severity;
use crate::{Outcome, Row, Scan};

/// The findings as one log.
#[must_use]
pub fn sarif(scan: &Scan) -> String {
    let rules: Vec<Value> = scan.controls.iter().map(|control| rule(scan, control)).collect();
    let results: Vec<Value> = scan.rows.iter().filter(|row| row.outcome.is_failed()).map(result).collect();
    let notifications: Vec<Value> = scan.rows.iter().filter(|row| row.outcome.is_unknown()).map(notification).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "Rectify", "semanticVersion": scan.tool_version, "rules": rules } },
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": scan.started,
                "endTimeUtc": scan.finished,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    safe::document(log)
}

fn rule(scan: &Scan, control: &str) -> Value {
    let Some(meta) = meta(control) else { return json!({ "id": control }) };
    let help = format!("{}\n\n{}", section(meta, "Why it matters"), section(meta, "Remediation"));
    let requirements = requirements(scan, control);
    let requirements = requirements.iter().map(|(framework, id)| format!("{} {id}", framework.title()));
    let tags: Vec<String> = ["security".to_owned()].into_iter().chain(requirements).collect();
    json!({
        "id": control,
        "shortDescription": { "text": message(meta.title) },
        "fullDescription": { "text": message(&section(meta, "What it checks")) },
        "help": { "text": message(&format!("{help}\n\nSee {}.", docs(control))), "markdown": meta.docs },
        "defaultConfiguration": { "level": level(meta.severity) },
        "properties": {
            "precision": "very-high",
            "security-severity": score(meta.severity),
            "severity": severity_name(meta.severity),
            "tags": tags,
        },
    })
}

fn result(row: &Row) -> Value {
    let reason = reason(&row.outcome);
    let text = if reason.trim().is_empty() { title(row) } else { reason };
    json!({
        "ruleId": row.control,
        "kind": "fail",
        "level": level(severity(row)),
        "message": { "text": message(&visible(text)) },
        "locations": [location(row)],
        "partialFingerprints": { "rectifyFinding/v1": id(row) },
    })
}

/// What has no verdict; an error if it was read in vain.
fn notification(row: &Row) -> Value {
    let level = if matches!(row.outcome, Outcome::Unreadable { .. }) { "error" } else { "note" };
    let mut notification = json!({
        "level": level,
        "message": { "text": message(&visible(&format!("no verdict: {}", reason(&row.outcome)))) },
        "locations": [location(row)],
    });
    // A file that cannot be read belongs to no rule.
    if let Value::Object(members) = &mut notification
        && row.control != ALL
    {
        members.insert("associatedRule".to_owned(), json!({ "id": row.control }));
    }
    notification
}

/// The characters of a file name that a URI has as they are.
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

fn location(row: &Row) -> Value {
    let mut location = logical(row);
    if let (Some(source), Value::Object(members)) = (&row.source, &mut location) {
        let uri = utf8_percent_encode(source.file.trim_start_matches("./"), IN_URI).to_string();
        // Code scanning shows no result without a line.
        let region = json!({ "startLine": source.line.unwrap_or(1) });
        members.insert("physicalLocation".to_owned(), json!({ "artifactLocation": { "uri": uri }, "region": region }));
    }
    location
}

fn logical(row: &Row) -> Value {
    let path = [&row.place.account, &row.place.region, &row.resource_type, &row.resource_id].map(String::as_str);
    json!({ "logicalLocations": [{
        "name": row.name.as_ref().unwrap_or(&row.resource_id),
        "fullyQualifiedName": row.arn.clone().unwrap_or_else(|| path.join("/")),
        "kind": "resource",
        "properties": {
            "account": row.place.account,
            "region": row.place.region,
            "resourceId": row.resource_id,
            "resourceType": row.resource_type,
        },
    }] })
}

/// Plain text as a message: braces would be placeholders, and brackets links.
fn message(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '{' | '}' => escaped.push(letter),
            '[' | ']' | '\\' => escaped.push('\\'),
            _ => {}
        }
        escaped.push(letter);
    }
    escaped
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "note",
        Severity::Medium => "warning",
        Severity::High | Severity::Critical => "error",
    }
}

/// The middle of each range of GitHub's `security-severity`.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "2.0",
        Severity::Medium => "5.5",
        Severity::High => "8.0",
        Severity::Critical => "9.5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{HOSTILE, declared, example, hostile};

    fn run(scan: &Scan) -> Value {
        serde_json::from_str::<Value>(&sarif(scan)).unwrap()["runs"][0].clone()
    }

    #[test]
    fn findings_are_results_and_missing_verdicts_notifications() {
        let run = run(&example());
        let levels: Vec<&Value> = run["results"].as_array().unwrap().iter().map(|it| &it["level"]).collect();
        assert_eq!(levels, ["error", "error", "error", "note", "warning"]);
        let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        let notifications: Vec<(&Value, &Value)> =
            notifications.iter().map(|it| (&it["level"], &it["message"]["text"])).collect();
        let expected = [
            (&"error".into(), &"no verdict: s3:GetBucketPolicy: AccessDenied".into()),
            (&"note".into(), &"no verdict: the snapshot has no credential report".into()),
        ];
        assert_eq!(notifications, expected);
    }

    #[test]
    fn a_declared_resource_has_its_file_and_line() {
        let results = run(&declared())["results"].clone();
        let expected =
            json!({ "artifactLocation": { "uri": "stacks/my%20network.yaml" }, "region": { "startLine": 12 } });
        assert_eq!(results[0]["locations"][0]["physicalLocation"], expected);
        assert_eq!(results[1]["locations"][0].get("physicalLocation"), None);
    }

    #[test]
    fn every_rule_of_a_result_is_described() {
        let run = run(&example());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = rules.iter().find(|rule| rule["id"] == result["ruleId"]).unwrap();
            assert!(rule["help"]["text"].as_str().unwrap().contains("See docs/controls/"), "{rule:#}");
            assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
        }
    }

    #[test]
    fn hostile_names_are_text_and_no_links() {
        let run = run(&hostile());
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), HOSTILE.len());
        for (result, name) in results.iter().zip(HOSTILE) {
            assert_eq!(result["locations"][0]["logicalLocations"][0]["name"], name);
        }
        let link = "\\[click\\](https://example.com) {{0}} \\\\ `x`";
        assert!(results.iter().any(|it| it["message"]["text"] == link));
    }
}
