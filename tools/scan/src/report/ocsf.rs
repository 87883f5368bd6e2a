//! Compliance Findings (class 2003) of the Open Cybersecurity Schema Framework 1.5.0: <https://schema.ocsf.io/1.5.0/classes/compliance_finding>.
//!
//! A row without a verdict is a finding with status Warning, which the schema defines as "did not yield a result due to
//! missing information".

use rectify_compliance::{Region, Severity};
use serde_json::{Value, json};

use super::finding::{docs, fixes, id, plan, reason, requirements, status, title};
use super::safe;
use crate::result::severity;
use crate::{Outcome, Row, Scan};

const VERSION: &str = "1.5.0";

/// The findings as one JSON array.
#[must_use]
pub fn ocsf(scan: &Scan) -> String {
    let findings: Vec<Value> = scan.rows.iter().map(|row| finding(scan, row)).collect();
    safe::document(Value::Array(findings))
}

fn finding(scan: &Scan, row: &Row) -> Value {
    let (severity_id, severity) = severity_of(row);
    let reason = reason(&row.outcome);
    json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": 2,
        "class_name": "Compliance Finding",
        "class_uid": 2003,
        "cloud": {
            "account": { "type": "AWS Account", "type_id": 10, "uid": row.place.account },
            "provider": "AWS",
            "region": row.place.region,
        },
        "compliance": compliance(scan, row, reason),
        "finding_info": {
            "analytic": { "name": row.control, "type": "Rule", "type_id": 1, "uid": row.control },
            "created_time": scan.finished.as_millisecond(),
            "desc": reason,
            "title": title(row),
            "uid": id(row),
        },
        "message": if reason.is_empty() { title(row) } else { reason },
        "metadata": {
            "event_code": row.control,
            "product": { "name": "Rectify", "vendor_name": "Rectify", "version": scan.tool_version },
            "profiles": ["cloud"],
            "version": VERSION,
        },
        "remediation": { "desc": remediation(row) },
        "resources": [resource(row)],
        "severity": severity,
        "severity_id": severity_id,
        "status": "New",
        "status_id": 1,
        "time": scan.finished.as_millisecond(),
        "type_name": "Compliance Finding: Create",
        "type_uid": 200_301,
    })
}

fn compliance(scan: &Scan, row: &Row, reason: &str) -> Value {
    let (status_id, caption) = match row.outcome {
        Outcome::Passed { .. } => (1, "Pass"),
        Outcome::Unreadable { .. } | Outcome::NotScanned { .. } => (2, "Warning"),
        Outcome::Failed { .. } => (3, "Fail"),
        Outcome::NotApplicable { .. } => (99, "Not applicable"),
    };
    let requirements = requirements(scan, &row.control);
    let mut standards: Vec<&str> = requirements.iter().map(|(framework, _)| framework.title()).collect();
    standards.dedup();
    let ids: Vec<String> = requirements.iter().map(|(framework, id)| format!("{} {id}", framework.title())).collect();
    json!({
        "control": row.control,
        "requirements": ids,
        "standards": standards,
        "status": caption,
        "status_code": status(&row.outcome),
        "status_details": [reason],
        "status_id": status_id,
    })
}

fn resource(row: &Row) -> Value {
    let partition = Region::new(row.place.region.as_str()).partition();
    let mut resource = json!({
        "cloud_partition": partition.as_str(),
        "name": row.name.as_ref().unwrap_or(&row.resource_id),
        "region": row.place.region,
        "type": row.resource_type,
        "uid": row.arn.as_ref().unwrap_or(&row.resource_id),
    });
    if let (Some(source), Value::Object(members)) = (&row.source, &mut resource) {
        // The schema has no place for the declaration of a resource but its free `data`.
        members.insert("data".to_owned(), json!(source));
    }
    resource
}

/// The steps, a line each, and the page.
fn remediation(row: &Row) -> String {
    let steps = plan(&row.outcome).map(fixes).unwrap_or_default().into_iter().map(ToOwned::to_owned);
    steps.chain([docs(&row.control)]).collect::<Vec<String>>().join("\n")
}

/// What is no finding is informational.
fn severity_of(row: &Row) -> (u8, &'static str) {
    if !row.outcome.is_failed() {
        return (1, "Informational");
    }
    match severity(row) {
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{HOSTILE, declared, example, hostile};

    fn findings(scan: &Scan) -> Vec<Value> {
        serde_json::from_str(&ocsf(scan)).unwrap()
    }

    #[test]
    fn findings_have_what_the_class_requires() {
        let required = [
            "/activity_id",
            "/category_uid",
            "/class_uid",
            "/cloud/provider",
            "/compliance/standards",
            "/finding_info/title",
            "/finding_info/uid",
            "/metadata/product/vendor_name",
            "/metadata/version",
            "/severity_id",
            "/time",
            "/type_uid",
        ];
        for finding in findings(&example()).iter().chain(&findings(&hostile())) {
            for pointer in required {
                assert!(finding.pointer(pointer).is_some_and(|it| !it.is_null()), "{pointer}: {finding:#}");
            }
            assert_eq!(finding["type_uid"], 2003 * 100 + 1);
        }
    }

    #[test]
    fn the_status_follows_the_outcome_and_unknown_is_no_pass() {
        let rows: Vec<(Value, Value, Value)> = findings(&example())
            .iter()
            .map(|it| (it["compliance"]["status"].clone(), it["severity"].clone(), it["finding_info"]["title"].clone()))
            .collect();
        assert_eq!(rows[0], ("Fail".into(), "High".into(), "Security group lets the whole internet reach SSH".into()));
        let statuses: Vec<&Value> = rows.iter().map(|(status, _, _)| status).collect();
        let expected = ["Fail", "Pass", "Pass", "Fail", "Warning", "Fail", "Warning", "Fail", "Not applicable", "Fail"];
        assert_eq!(statuses, expected);
    }

    #[test]
    fn a_declared_resource_has_its_file_and_line() {
        let findings = findings(&declared());
        let places: Vec<Option<&Value>> = findings.iter().take(3).map(|it| it["resources"][0].get("data")).collect();
        let expected = [json!({ "file": "./stacks/my network.yaml", "line": 12 }), json!({ "file": "plan.json" })];
        assert_eq!(places, [Some(&expected[0]), Some(&expected[1]), None]);
    }

    #[test]
    fn hostile_names_come_through_whole() {
        for (finding, name) in findings(&hostile()).iter().zip(HOSTILE.iter().flat_map(|name| [name; 5])) {
            assert_eq!(finding["resources"][0]["name"], *name);
            assert_eq!(finding["finding_info"]["desc"], *name);
            assert_eq!(finding["resources"][0]["data"]["file"], *name);
        }
    }
}
