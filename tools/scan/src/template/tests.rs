mod cases;

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::Entry;
use serde_json::json;

use super::cloudformation::{ParameterValues, Template, parameter_values, read};
use super::*;
use crate::judges::ControlParameters;
use crate::{Outcome, Row};
use cases::{BUCKET, CASES, SG};

fn target() -> Target {
    Target { account: AccountId::new("111122223333"), region: Region::new("eu-west-1"), is_given: false }
}

fn template(text: &str) -> Template {
    read(text, &ParameterValues::new(), &target()).unwrap()
}

fn control(id: &str) -> &'static Entry {
    rectify_catalogue::find(id).unwrap()
}

fn rows_with(id: &str, parameters: &str, template: &Template) -> Vec<Row> {
    let parameters = ControlParameters::from([(id.to_owned(), parameters.to_owned())]);
    let judges = TemplateJudges::new(&[control(id)], &parameters, "2026-11-30T00:00:00Z".parse().unwrap()).unwrap();
    judges.rows("template.yaml", &template.resources, &target())
}

/// `passed`, or the status and the reason.
fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed { .. } => "passed".to_owned(),
        Outcome::Failed { reason, plan } => {
            assert_eq!(*plan, None, "there is nothing to fix yet");
            format!("failed: {reason}")
        }
        Outcome::NotApplicable { reason } => format!("not applicable: {reason}"),
        Outcome::Unreadable { reason } => format!("unreadable: {reason}"),
        Outcome::NotScanned { reason } => reason.clone(),
    }
}

/// The outcome of a control for the resource `X` of this type and these properties, in YAML in braces; further resources
/// may follow after a line feed.
fn outcome(id: &str, parameters: &str, kind: &str, properties: &str) -> String {
    let (properties, others) = properties.split_once('\n').unwrap_or((properties, ""));
    let text = format!(
        "Parameters:\n  P: {{Type: String}}\n  L: {{Type: CommaDelimitedList}}\nResources:\n  X: {{Type: {kind}, \
         Properties: {properties}}}\n{others}\n"
    );
    let rows = rows_with(id, parameters, &template(&text));
    let mut shown = rows.iter().filter(|row| row.resource_id == "X").map(|row| shown(&row.outcome));
    shown.next().unwrap_or_else(|| "no row".to_owned())
}

#[test]
fn properties_decide_the_outcome() {
    let mut wrong = Vec::new();
    for (id, kind, properties, expected) in CASES {
        let outcome = outcome(id, "{}", kind, properties);
        if !outcome.starts_with(expected) || (*expected == "passed" && outcome != "passed") {
            wrong.push(format!("{id} {properties}\n  expected {expected}\n  received {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_control_of_every_type_passes_and_fails_in_a_case() {
    let seen: BTreeSet<(&str, &str, &str)> =
        CASES.iter().map(|(id, kind, _, expected)| (*kind, *id, expected.split(':').next().unwrap())).collect();
    for kind in kinds::all() {
        for answer in kind.controls {
            // Every way to declare a bucket's encryption is one.
            let never_fails = answer.control == "s3-bucket-server-side-encryption-enabled";
            let has = |outcome| seen.contains(&(kind.template, answer.control, outcome));
            assert!(has("passed") || has("not applicable"), "{} {} never passes", kind.template, answer.control);
            assert!(has("failed") || never_fails, "{} {} never fails", kind.template, answer.control);
        }
    }
}

#[test]
fn an_unknown_property_is_never_a_verdict() {
    for kind in kinds::all() {
        for answer in kind.controls {
            let read = kind.properties.iter().filter(|it| it.controls.contains(&answer.control));
            for property in read {
                let mut declared =
                    template(&format!("Resources: {{X: {{Type: {}}}}}", kind.template)).resources.remove(0);
                let gap = Gap::Unknown("Ref P".to_owned());
                declared.openings = vec![Opening { path: property.from.to_owned(), gap }];
                let rows =
                    rows_with(answer.control, "{}", &Template { resources: vec![declared], ..Template::default() });
                let [Row { outcome: Outcome::NotScanned { reason }, .. }] = &rows[..] else {
                    unreachable!("{} {}: {rows:?}", answer.control, property.from)
                };
                assert!(reason.starts_with("unknown: value known only at deployment: "), "{reason}");
            }
        }
    }
}

#[test]
fn tables_name_known_controls_types_and_parameters() {
    let mut names = BTreeMap::new();
    for kind in kinds::all() {
        assert!(names.insert(kind.template, ()).is_none(), "{} has two tables", kind.template);
        assert!(serde_json::from_str::<Value>(kind.base).is_ok(), "{}", kind.base);
        for answer in kind.controls {
            let entry = control(answer.control);
            assert!(entry.meta.resource_types.contains(&kind.recorded), "{} {}", answer.control, kind.recorded);
            let read: Vec<_> = kind.properties.iter().filter(|it| it.controls.contains(&answer.control)).collect();
            assert!(!read.is_empty(), "{} reads nothing of {}", answer.control, kind.template);
            let known = entry.parameters();
            for name in answer.reads_with {
                assert!(known["properties"].get(name).is_some(), "{}: {name}", answer.control);
            }
        }
        for property in kind.properties {
            for control in property.controls {
                assert!(kind.controls.iter().any(|it| it.control == *control), "{} {control}", kind.template);
            }
            let is_known = |name: &&&str| {
                property.controls.iter().any(|id| control(id).parameters()["properties"].get(**name).is_some())
            };
            let unknown: Vec<_> = property.compared_with.iter().filter(|name| !is_known(name)).collect();
            assert!(unknown.is_empty(), "{} {}: {unknown:?}", kind.template, property.from);
        }
    }
}

#[test]
fn parameters_that_need_reads_or_compare_a_name_leave_no_verdict() {
    let key = "{KmsMasterKeyId: !Ref Y}\n  Y: {Type: AWS::KMS::Key}";
    let sns = |parameters: &str| outcome("sns-encrypted-kms", parameters, "AWS::SNS::Topic", key);
    assert_eq!(sns("{}"), "passed");
    assert_eq!(sns(r#"{"kmsKeyIds": "alias/x"}"#), "unknown: parameter `kmsKeyIds` needs live reads");
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let efs = |properties: &str| {
        outcome("efs-encrypted-check", &json!({"KmsKeyId": arn}).to_string(), "AWS::EFS::FileSystem", properties)
    };
    assert_eq!(
        efs("{Encrypted: true, KmsKeyId: !GetAtt Y.Arn}\n  Y: {Type: AWS::KMS::Key}"),
        "unknown: value known only at deployment: KmsKeyId"
    );
    assert_eq!(efs(&format!("{{Encrypted: true, KmsKeyId: '{arn}'}}")), "passed");
    let tags = |parameters: &str| outcome("required-tags", parameters, BUCKET, "{Tags: [{Key: team, Value: web}]}");
    assert_eq!(tags(r#"{"required": "ssm:/rectify/tags"}"#), "unknown: parameter `required` needs live reads");
    assert_eq!(
        outcome("restricted-ssh", r#"{"excludeResources": "X"}"#, SG, "{}"),
        "not applicable: excluded by parameter"
    );
}

#[test]
fn tags_of_every_type_are_read() {
    let rule = r#"{"tag1Key": "team"}"#;
    let tags = |kind: &str, properties: &str| outcome("required-tags", rule, kind, properties);
    for kind in [BUCKET, "AWS::EC2::VPC", "AWS::DynamoDB::Table", "AWS::Redshift::Cluster"] {
        assert_eq!(
            tags(kind, "{Tags: [{Key: team, Value: !Ref Y}]}\n  Y: {Type: AWS::SNS::Topic}"),
            "passed",
            "{kind}"
        );
        assert!(tags(kind, "{Tags: [{Key: owner, Value: web}]}").starts_with("failed: "), "{kind}");
        assert!(tags(kind, "{}").starts_with("failed: "), "{kind}");
        let unknown = "unknown: value known only at deployment: Tags.0.Value (Ref P)";
        assert_eq!(tags(kind, "{Tags: [{Key: team, Value: !Ref P}]}"), unknown, "{kind}");
    }
    assert_eq!(tags("AWS::IAM::Role", "{}"), "no row", "a type that the control does not evaluate");
}

/// The value of `Properties.V` of the resource `X`, and what is not known in it.
fn resolved(value: &str, given: &[(&str, &str)]) -> (Value, Vec<String>) {
    let text = format!(
        "Parameters:\n  Given: {{Type: String}}\n  Default: {{Type: String, Default: d}}\n  Ports: {{Type: \
         CommaDelimitedList, Default: '22, 80'}}\n  Stored: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /a}}\n\
         Mappings:\n  M: {{d: {{k: v}}}}\nConditions:\n  IsD: !Equals [!Ref Default, d]\n  IsGiven: !Equals [!Ref \
         Given, g]\n  Both: !And [!Condition IsD, !Condition IsGiven]\n  Either: !Or [!Condition IsD, !Condition \
         IsGiven]\n  Loop: !Not [!Condition Loop]\n  Here: !Equals [!Ref AWS::Region, eu-west-1]\nResources:\n  K: {{Type: \
         AWS::KMS::Key}}\n  T: {{Type: AWS::SNS::Topic, Properties: {{TopicName: alerts}}}}\n  X:\n    Type: \
         AWS::EC2::Volume\n    Properties:\n      V: {value}\n"
    );
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let template = read(&text, &given, &target()).unwrap();
    let declared = template.resources.into_iter().find(|it| it.id == "X").unwrap();
    let openings = declared.openings.iter().map(|it| match &it.gap {
        Gap::Reference => format!("{} reference", it.path),
        Gap::Unknown(reason) => format!("{} {reason}", it.path),
    });
    let openings = openings.collect();
    (declared.properties.get("V").cloned().unwrap_or(json!("absent")), openings)
}

#[test]
fn intrinsics_are_resolved_as_far_as_they_are_known() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:alerts";
    let rows: &[(&str, Value, &[&str])] = &[
        ("!Ref Default", json!("d"), &[]),
        ("!Ref Given", json!(null), &["/V Ref Given"]),
        ("!Ref Stored", json!(null), &["/V Ref Stored"]),
        ("!Ref Ports", json!(["22", "80"]), &[]),
        ("!Ref AWS::NoValue", json!("absent"), &[]),
        ("!Ref AWS::Region", json!("eu-west-1"), &["/V reference"]),
        ("!Ref K", json!("K"), &["/V reference"]),
        ("!Ref T", json!(topic), &["/V reference"]),
        ("!GetAtt T.TopicName", json!("alerts"), &["/V reference"]),
        ("!GetAtt [K, Arn]", json!("arn:aws:kms:eu-west-1:111122223333:key/K"), &["/V reference"]),
        ("!GetAtt Absent.Arn", json!(null), &["/V GetAtt Absent.Arn"]),
        ("!ImportValue x", json!(null), &["/V Fn::ImportValue x"]),
        ("'{{resolve:ssm:/a}}'", json!(null), &["/V a dynamic reference"]),
        ("!Sub 'a-${Default}-${!Literal}'", json!("a-d-${Literal}"), &[]),
        (
            "!Sub ['${a}-${K.Arn}', {a: !Ref Default}]",
            json!("d-arn:aws:kms:eu-west-1:111122223333:key/K"),
            &["/V reference"],
        ),
        ("!Sub '${Given}'", json!(null), &["/V Ref Given"]),
        ("!Sub '${'", json!("${"), &[]),
        ("!Join ['-', [a, !Ref Default, 1]]", json!("a-d-1"), &[]),
        ("!Join ['-', [a, !Ref Given]]", json!(null), &["/V Ref Given"]),
        ("!Join ['-', !Ref Ports]", json!("22-80"), &[]),
        ("!Select [1, !Split [',', 'a,b']]", json!("b"), &[]),
        ("!Select [9, [a]]", json!(null), &["/V Fn::Select [9,[\"a\"]]"]),
        ("!FindInMap [M, !Ref Default, k]", json!("v"), &[]),
        ("!FindInMap [M, !Ref Given, k]", json!(null), &["/V Fn::FindInMap [\"M\",{\"Ref\":\"Given\"},\"k\"]"]),
        ("!If [IsD, {a: !Ref Given}, b]", json!({"a": null}), &["/V/a Ref Given"]),
        ("!If [IsGiven, a, b]", json!(null), &["/V condition IsGiven"]),
        ("!If [IsGiven, a, a]", json!("a"), &[]),
        ("!If [Both, a, b]", json!(null), &["/V condition Both"]),
        ("!If [Either, a, b]", json!("a"), &[]),
        ("!If [Loop, a, b]", json!(null), &["/V condition Loop"]),
        ("!If [Nothing, a, b]", json!(null), &["/V condition Nothing"]),
        ("!If [Here, a, b]", json!(null), &["/V condition Here"]),
        ("[!If [IsD, !Ref AWS::NoValue, x], !Ref Given, y]", json!([null, "y"]), &["/V/0 Ref Given"]),
        ("!GetAZs ''", json!(null), &["/V Fn::GetAZs "]),
        ("{'Fn::Transform': {Name: 'AWS::Include'}}", json!(null), &["/V Fn::Transform {\"Name\":\"AWS::Include\"}"]),
    ];
    for (value, expected, openings) in rows {
        let (value_found, openings_found) = resolved(value, &[]);
        assert_eq!(
            (&value_found, openings_found),
            (expected, openings.iter().map(|it| (*it).to_owned()).collect()),
            "{value}"
        );
    }
    assert_eq!(resolved("!If [Both, a, b]", &[("Given", "g")]), (json!("a"), vec![]));
    assert_eq!(resolved("!Ref Default", &[("Default", "e")]), (json!("e"), vec![]));
}

#[test]
fn rows_have_the_file_the_line_and_the_logical_id() {
    let text = "Resources:\n\n  Logs:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: my-logs}\n  Gone:\n    \
                Type: AWS::S3::Bucket\n    Condition: Never\nConditions:\n  Never: !Equals [a, b]\n";
    let rows = rows_with("s3-bucket-versioning-enabled", "{}", &template(text));
    let [row] = &rows[..] else { unreachable!("{rows:?}") };
    assert_eq!((row.resource_id.as_str(), row.name.as_deref()), ("Logs", Some("my-logs")));
    assert_eq!(row.source.as_ref().unwrap().to_string(), "template.yaml:3");
    assert_eq!((row.place.account.as_str(), row.place.region.as_str()), ("111122223333", "eu-west-1"));
}

#[test]
fn what_a_transform_makes_is_named_and_the_rest_is_judged() {
    let text = "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: AWS::Serverless::Function}\n  S: {Type: \
                AWS::CloudFormation::Stack}\n  'Fn::ForEach::Topics': [a, [b], {}]\n  Q: {Properties: {}}\n  W: {Type: \
                AWS::SQS::Queue, Properties: 7}\n  V: {Type: AWS::EC2::Volume, Properties: {Encrypted: true, \
                'Fn::Transform': {Name: x}}}\n  T: {Type: AWS::SNS::Topic}\n";
    let template = template(text);
    let unread: Vec<(&str, &str, Option<u64>)> =
        template.unread.iter().map(|it| (it.id.as_str(), it.reason.as_str(), it.line)).collect();
    let transform = "unknown: a transform makes its resources at deployment";
    assert_eq!(
        unread,
        [
            ("F", transform, Some(3)),
            ("S", "unknown: its resources are in another template", Some(4)),
            ("Fn::ForEach::Topics", transform, Some(5)),
            ("Q", "expected a resource with `Type`", Some(6)),
            ("W", "expected properties by their names", Some(7)),
        ]
    );
    assert_eq!(rows_with("sns-encrypted-kms", "{}", &template).len(), 1);
    let volume = rows_with("encrypted-volumes", "{}", &template);
    assert_eq!(shown(&volume[0].outcome), "unknown: value known only at deployment: Properties (Fn::Transform)");
}

#[test]
fn an_ingress_rule_of_another_template_is_judged_alone() {
    let text = "Parameters: {G: {Type: String}}\nResources:\n  R: {Type: AWS::EC2::SecurityGroupIngress, Properties: \
                {GroupId: !Ref G, IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}}\n";
    let rows = rows_with("restricted-ssh", "{}", &template(text));
    let found: Vec<_> = rows.iter().map(|row| (row.resource_id.as_str(), row.outcome.is_failed())).collect();
    assert_eq!(found, [("R", true)]);
}

#[test]
fn what_is_no_template_is_refused() {
    let refused = |text: &str| read(text, &ParameterValues::new(), &target()).unwrap_err();
    assert_eq!(refused(""), "expected a template: received nothing");
    assert_eq!(refused("[1]"), "expected a template: received no object");
    assert_eq!(refused("{}"), "expected a template: received an object without `Resources`");
    assert_eq!(refused("Resources: 1"), "expected a template: received an object without `Resources`");
    let values = |text: &str| parameter_values(text).map(|it| json!(it));
    assert_eq!(values(r#"{"P": 1}"#), Ok(json!({"P": 1})));
    assert_eq!(values(r#"{"Parameters": {"P": "a"}}"#), Ok(json!({"P": "a"})));
    assert_eq!(values(r#"[{"ParameterKey": "P", "ParameterValue": "a"}]"#), Ok(json!({"P": "a"})));
    for text in ["[1]", "7", "{"] {
        assert!(values(text).unwrap_err().starts_with("expected an object of names and values"), "{text}");
    }
}

#[test]
fn a_template_of_a_megabyte_is_read_in_whole() {
    let volume = |number: usize| format!("  V{number}: {{Type: AWS::EC2::Volume, Properties: {{Encrypted: false}}}}\n");
    let text = format!("Resources:\n{}", (0..16_000).map(volume).collect::<String>());
    assert!(text.len() > 1_000_000, "{}", text.len());
    let rows = rows_with("encrypted-volumes", "{}", &template(&text));
    assert_eq!(rows.len(), 16_000);
    assert_eq!(rows.last().unwrap().source.as_ref().unwrap().line, Some(16_001));
}

#[test]
fn the_documentation_lists_every_control_that_answers() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scan.md")).unwrap();
    let line = |entry: &Entry| {
        let id = entry.meta.id;
        let types = judge::types(id).join("`, `");
        let types = if types.is_empty() { "every type that it evaluates".to_owned() } else { format!("`{types}`") };
        format!("| [`{id}`](controls/{id}.md) | {types} |")
    };
    let expected: Vec<String> = rectify_catalogue::controls().filter(|it| answers(it.meta.id)).map(line).collect();
    let listed: Vec<&str> = page.lines().filter(|it| it.starts_with("| [`")).collect();
    assert_eq!(listed, expected, "expected:\n{}", expected.join("\n"));
}
