//! Findings for Security Hub, as `aws securityhub batch-import-findings --findings file://…` takes them, at most 100 in
//! one call: <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>.
//!
//! Security Hub takes a finding only in its own account and region, for whose default product it is made out.
//! It refuses text that is too long, blank, or has a line break, so every text is shortened and written without.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{Framework, Region, Timestamp};
use serde_json::{Value, json};

use super::finding::{docs, fixes, id, plan, reason, requirements, severity_name, status, title};
use super::safe::{self, clip, visible};
use crate::result::severity;
use crate::{Outcome, Row, Scan};

/// The types that Security Hub has a name for; others are `Other`.
const TYPES: [(&str, &str); 26] = [
    (ACCOUNT_TYPE, "AwsAccount"),
    ("AWS::ACM::Certificate", "AwsCertificateManagerCertificate"),
    ("AWS::AutoScaling::AutoScalingGroup", "AwsAutoScalingAutoScalingGroup"),
    ("AWS::CloudFormation::Stack", "AwsCloudFormationStack"),
    ("AWS::CloudTrail::Trail", "AwsCloudTrailTrail"),
    ("AWS::CodeBuild::Project", "AwsCodeBuildProject"),
    ("AWS::DynamoDB::Table", "AwsDynamoDbTable"),
    ("AWS::EC2::Instance", "AwsEc2Instance"),
    ("AWS::EC2::NetworkAcl", "AwsEc2NetworkAcl"),
    ("AWS::EC2::NetworkInterface", "AwsEc2NetworkInterface"),
    ("AWS::EC2::RouteTable", "AwsEc2RouteTable"),
    ("AWS::EC2::SecurityGroup", "AwsEc2SecurityGroup"),
    ("AWS::EC2::Subnet", "AwsEc2Subnet"),
    ("AWS::EC2::VPC", "AwsEc2Vpc"),
    ("AWS::EC2::VPNConnection", "AwsEc2VpnConnection"),
    ("AWS::EC2::Volume", "AwsEc2Volume"),
    ("AWS::ElasticLoadBalancing::LoadBalancer", "AwsElbLoadBalancer"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"),
    ("AWS::IAM::Policy", "AwsIamPolicy"),
    ("AWS::IAM::User", "AwsIamUser"),
    ("AWS::KMS::Key", "AwsKmsKey"),
    ("AWS::RDS::DBCluster", "AwsRdsDbCluster"),
    ("AWS::RDS::DBInstance", "AwsRdsDbInstance"),
    ("AWS::RDS::DBSnapshot", "AwsRdsDbSnapshot"),
    ("AWS::Redshift::Cluster", "AwsRedshiftCluster"),
    ("AWS::S3::Bucket", "AwsS3Bucket"),
];

/// The findings as one JSON array.
#[must_use]
pub fn asff(scan: &Scan) -> String {
    let findings: Vec<Value> = scan.rows.iter().map(|row| finding(scan, row)).collect();
    safe::document(Value::Array(findings))
}

fn finding(scan: &Scan, row: &Row) -> Value {
    let (account, region) = (&row.place.account, &row.place.region);
    let partition = Region::new(region.as_str()).partition();
    let severity_name = severity_name(severity(row));
    // What is no finding is informational; Security Hub has no other word for it.
    let label = if row.outcome.is_failed() { severity_name.to_uppercase() } else { "INFORMATIONAL".to_owned() };
    // What a control no longer applies to leaves the list of active findings.
    let is_archived = matches!(row.outcome, Outcome::NotApplicable { .. });
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("rectify/{region}/{account}/{}/{}", row.control, id(row)),
        "ProductArn": partition.arn("securityhub", region, account, &format!("product/{account}/default")),
        "ProductName": "Rectify",
        "CompanyName": "Rectify",
        "GeneratorId": format!("rectify/{}", row.control),
        "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": instant(scan.started),
        "UpdatedAt": instant(scan.finished),
        "Severity": { "Label": label, "Original": severity_name },
        "Title": words(title(row), 256, &row.control),
        "Description": words(reason(&row.outcome), 1024, title(row)),
        "Remediation": { "Recommendation": { "Text": recommendation(row) } },
        "ProductFields": product_fields(scan, row),
        "Resources": [resource(row)],
        "Compliance": { "Status": compliance(&row.outcome), "RelatedRequirements": related(scan, row) },
        "RecordState": if is_archived { "ARCHIVED" } else { "ACTIVE" },
    })
}

/// The text in one line of at most `limit` characters; `otherwise` if it is blank.
fn words(text: &str, limit: usize, otherwise: &str) -> String {
    let text = if text.trim().is_empty() { otherwise } else { text };
    clip(&visible(text), limit)
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

const fn compliance(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed { .. } => "PASSED",
        Outcome::Failed { .. } => "FAILED",
        Outcome::NotScanned { .. } => "WARNING",
        Outcome::Unreadable { .. } | Outcome::NotApplicable { .. } => "NOT_AVAILABLE",
    }
}

/// The page first: it must not fall victim to the limit.
fn recommendation(row: &Row) -> String {
    let steps = plan(&row.outcome).map(fixes).unwrap_or_default();
    let text = [&[format!("See {}.", docs(&row.control)).as_str()], steps.as_slice()].concat().join(" ");
    words(&text, 512, "")
}

fn product_fields(scan: &Scan, row: &Row) -> Value {
    let mut fields = json!({
        "rectify/control": words(&row.control, 2048, "unnamed"),
        "rectify/resourceId": words(&row.resource_id, 2048, "*"),
        "rectify/resourceType": words(&row.resource_type, 2048, "unknown"),
        "rectify/status": status(&row.outcome),
        "rectify/version": scan.tool_version,
    });
    if let (Some(source), Value::Object(members)) = (&row.source, &mut fields) {
        members.insert("rectify/file".to_owned(), words(&source.file, 2048, "unnamed").into());
        members.extend(source.line.map(|line| ("rectify/line".to_owned(), line.to_string().into())));
    }
    fields
}

fn resource(row: &Row) -> Value {
    // A row about all resources of a control is one about the account.
    let resource_type = if row.resource_id == "*" { ACCOUNT_TYPE } else { &row.resource_type };
    let known = TYPES.iter().find(|(config, _)| *config == resource_type);
    let id = match row.arn.as_deref().filter(|_| row.resource_id != "*") {
        Some(arn) => arn.to_owned(),
        None if resource_type == ACCOUNT_TYPE => format!("{ACCOUNT_TYPE}:{}", row.place.account),
        None => row.resource_id.clone(),
    };
    json!({
        "Type": known.map_or("Other", |(_, name)| name),
        "Id": words(&id, 512, "unnamed"),
        "Region": row.place.region,
    })
}

/// At most 32, which the format allows.
fn related(scan: &Scan, row: &Row) -> Vec<String> {
    let standard = |framework| match framework {
        Framework::Cis30 => "CIS AWS Foundations Benchmark v3.0.0/",
        Framework::Cis50 => "CIS AWS Foundations Benchmark v5.0.0/",
        Framework::Fsbp => "AWS Foundational Security Best Practices v1.0.0/",
        Framework::Nist80053r5 => "NIST.800-53.r5 ",
        Framework::Pci40 => "PCI DSS v4.0/",
    };
    let requirements = requirements(scan, &row.control).into_iter();
    requirements.map(|(framework, id)| format!("{}{id}", standard(framework))).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::report::sample::{HOSTILE, declared, example, hostile};
    use std::collections::BTreeSet;

    fn findings(scan: &Scan) -> Vec<Value> {
        serde_json::from_str(&asff(scan)).unwrap()
    }

    #[test]
    fn a_finding_is_made_out_for_the_default_product_of_its_account() {
        let finding = &findings(&example())[0];
        assert_eq!(finding["ProductArn"], "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default");
        assert_eq!(finding["Id"], format!("rectify/eu-west-1/111122223333/restricted-ssh/{}", id(&example().rows[0])));
        assert_eq!(finding["CreatedAt"], "2026-11-30T10:00:00.000Z");
        assert_eq!(finding["Severity"], json!({ "Label": "HIGH", "Original": "high" }));
        let arn = "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0a1b2c3d4e5f60001";
        let expected = json!({ "Type": "AwsEc2SecurityGroup", "Id": arn, "Region": "eu-west-1" });
        assert_eq!(finding["Resources"], json!([expected]));
        let related = finding["Compliance"]["RelatedRequirements"].as_array().unwrap();
        assert!(related.contains(&"CIS AWS Foundations Benchmark v5.0.0/5.3".into()), "{related:?}");
        assert!(related.contains(&"NIST.800-53.r5 AC-4(21)".into()), "{related:?}");
    }

    #[test]
    fn unknown_is_no_pass_and_what_does_not_apply_is_archived() {
        let statuses: Vec<(String, bool)> = findings(&example())
            .iter()
            .map(|it| (it["Compliance"]["Status"].as_str().unwrap().to_owned(), it["RecordState"] == "ARCHIVED"))
            .collect();
        let of = |index: usize| (statuses[index].0.as_str(), statuses[index].1);
        let (failed, passed, unreadable, not_scanned, not_applicable) = (of(0), of(1), of(4), of(6), of(8));
        assert_eq!(failed, ("FAILED", false));
        assert_eq!(passed, ("PASSED", false));
        assert_eq!(unreadable, ("NOT_AVAILABLE", false));
        assert_eq!(not_scanned, ("WARNING", false));
        assert_eq!(not_applicable, ("NOT_AVAILABLE", true));
    }

    #[test]
    fn a_row_about_all_resources_is_about_the_account() {
        let resource = &findings(&example())[6]["Resources"][0];
        assert_eq!((&resource["Type"], &resource["Id"]), (&"AwsAccount".into(), &"AWS::::Account:111122223333".into()));
    }

    #[test]
    fn a_declared_resource_has_its_file_and_line() {
        let findings = findings(&declared());
        let of = |index: usize| {
            ["rectify/file", "rectify/line"]
                .map(|name| findings[index]["ProductFields"].get(name).and_then(Value::as_str))
        };
        assert_eq!(of(0), [Some("./stacks/my network.yaml"), Some("12")]);
        assert_eq!((of(1), of(2)), ([Some("plan.json"), None], [None, None]));
    }

    #[test]
    fn types_are_those_of_the_catalogue() {
        let types: BTreeSet<&str> =
            rectify_catalogue::controls().flat_map(|it| it.meta.resource_types).copied().collect();
        for (config, _) in TYPES {
            assert!(types.contains(config), "{config}");
        }
    }

    #[test]
    fn hostile_and_long_names_keep_the_limits() {
        let mut scan = hostile();
        let mut long = scan.rows[1].clone();
        let text = "=\"ä\n".repeat(2000);
        long.arn = Some(text.clone());
        long.resource_id.clone_from(&text);
        long.source = Some(Source { file: text.clone(), line: None });
        long.outcome = Outcome::Failed { reason: text, plan: plan(&long.outcome).cloned() };
        scan.rows.push(long);
        let findings = findings(&scan);
        assert_eq!(findings.len(), HOSTILE.len() * 5 + 1);
        for finding in &findings {
            let limits = [
                ("/Id", 512),
                ("/GeneratorId", 512),
                ("/Title", 256),
                ("/Description", 1024),
                ("/Remediation/Recommendation/Text", 512),
                ("/Resources/0/Id", 512),
                ("/ProductFields/rectify~1resourceId", 2048),
                ("/ProductFields/rectify~1file", 2048),
            ];
            for (pointer, limit) in limits {
                let text = finding.pointer(pointer).and_then(Value::as_str).unwrap();
                assert!(!text.trim().is_empty() && !text.contains('\n'), "{pointer}: {text:?}");
                assert!(text.chars().count() <= limit, "{pointer}: {text:?}");
            }
        }
    }
}
