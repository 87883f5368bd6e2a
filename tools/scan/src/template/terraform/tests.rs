use rectify_compliance::{AccountId, Region};
use serde_json::{Value, json};

use super::*;
use crate::judges::ControlParameters;
use crate::template::TemplateJudges;
use crate::{Outcome, Row};

fn target() -> Target {
    Target { account: AccountId::new("111122223333"), region: Region::new("eu-west-1"), is_given: false }
}

/// A resource of the plan: type, name, values, what is known after apply, expressions.
type Resource<'a> = (&'a str, &'a str, Value, Value, Value);

fn plan(resources: &[Resource<'_>]) -> String {
    let address = |it: &Resource<'_>| format!("{}.{}", it.0, it.1);
    let planned = resources
        .iter()
        .map(|it| json!({"address": address(it), "mode": "managed", "type": it.0, "name": it.1, "values": it.2}));
    let changes = resources
        .iter()
        .map(|it| json!({"address": address(it), "change": {"actions": ["create"], "after_unknown": it.3}}));
    let configured = resources.iter().map(|it| json!({"address": address(it), "expressions": it.4}));
    json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned.collect::<Vec<_>>()}},
        "resource_changes": changes.collect::<Vec<_>>(),
        "configuration": {"root_module": {"resources": configured.collect::<Vec<_>>()}},
    })
    .to_string()
}

fn rows(control: &str, text: &str) -> Vec<Row> {
    let template = read(text, &target()).unwrap();
    let control = rectify_catalogue::find(control).unwrap();
    let at = "2026-11-30T00:00:00Z".parse().unwrap();
    let judges = TemplateJudges::new(&[control], &ControlParameters::new(), at).unwrap();
    judges.rows("plan.json", &template.resources, &target())
}

fn outcomes(control: &str, text: &str) -> Vec<String> {
    let shown = |row: &Row| {
        let outcome = match &row.outcome {
            Outcome::Passed { .. } => "passed".to_owned(),
            Outcome::Failed { .. } => "failed".to_owned(),
            Outcome::NotApplicable { reason } | Outcome::Unreadable { reason } | Outcome::NotScanned { reason } => {
                reason.clone()
            }
        };
        format!("{} {outcome}", row.resource_id)
    };
    rows(control, text).iter().map(shown).collect()
}

/// The outcome of one resource whose expressions are all constants.
fn one(control: &str, kind: &str, values: &Value) -> String {
    let constants = values.as_object().unwrap().keys().map(|it| (it.clone(), json!({"constant_value": true})));
    let expressions: Value = constants.collect::<Map<_, _>>().into();
    outcomes(control, &plan(&[(kind, "x", values.clone(), json!({"id": true, "arn": true}), expressions)])).concat()
}

#[test]
fn attributes_decide_as_properties_do() {
    let block = |cidr: &str| {
        json!({"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8", cidr],
            "ipv6_cidr_blocks": [], "security_groups": [], "prefix_list_ids": [], "self": false}]})
    };
    let rule = |kind: &str| {
        json!({"type": kind, "protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"],
            "security_group_id": "sg-1"})
    };
    let statement = |principal: Value| {
        json!({"Statement": [{"Sid": "A", "Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}]})
            .to_string()
    };
    let all = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}).to_string();
    #[rustfmt::skip]
    let cases = [
        ("restricted-ssh", "aws_security_group", block("0.0.0.0/0"), "failed"),
        ("restricted-ssh", "aws_security_group", block("192.168.0.0/16"), "passed"),
        ("restricted-ssh", "aws_security_group_rule", rule("ingress"), "failed"),
        ("restricted-ssh", "aws_vpc_security_group_ingress_rule", json!({"security_group_id": "sg-1", "ip_protocol": "-1", "cidr_ipv6": "::/0"}), "failed"),
        ("ec2-imdsv2-check", "aws_instance", json!({"metadata_options": [{"http_tokens": "required"}]}), "passed"),
        ("ec2-imdsv2-check", "aws_instance", json!({"metadata_options": [{"http_tokens": "optional"}]}), "failed"),
        ("ec2-instance-no-public-ip", "aws_instance", json!({"associate_public_ip_address": true}), "failed"),
        ("ec2-instance-no-public-ip", "aws_instance", json!({"associate_public_ip_address": false}), "passed"),
        ("encrypted-volumes", "aws_ebs_volume", json!({"encrypted": false}), "failed"),
        ("subnet-auto-assign-public-ip-disabled", "aws_subnet", json!({"map_public_ip_on_launch": true}), "failed"),
        ("elb-deletion-protection-enabled", "aws_lb", json!({"name": "web", "enable_deletion_protection": true}), "passed"),
        ("elb-deletion-protection-enabled", "aws_alb", json!({"name": "web", "enable_deletion_protection": false}), "failed"),
        ("efs-encrypted-check", "aws_efs_file_system", json!({"encrypted": true}), "passed"),
        ("rds-storage-encrypted", "aws_db_instance", json!({"engine": "postgres", "identifier": "db"}), "failed"),
        ("db-instance-backup-enabled", "aws_db_instance", json!({"engine": "postgres", "backup_retention_period": 0}), "failed"),
        ("rds-cluster-deletion-protection-enabled", "aws_rds_cluster", json!({"engine": "aurora-mysql", "deletion_protection": true}), "passed"),
        ("rds-instance-public-access-check", "aws_rds_cluster_instance", json!({"engine": "aurora-mysql", "publicly_accessible": true}), "failed"),
        ("dynamodb-pitr-enabled", "aws_dynamodb_table", json!({"name": "t", "point_in_time_recovery": [{"enabled": true}]}), "passed"),
        ("cw-loggroup-retention-period-check", "aws_cloudwatch_log_group", json!({"name": "g", "retention_in_days": 7}), "failed"),
        ("cw-loggroup-retention-period-check", "aws_cloudwatch_log_group", json!({"name": "g", "retention_in_days": 0}), "passed"),
        ("cloud-trail-log-file-validation-enabled", "aws_cloudtrail", json!({"name": "t", "enable_log_file_validation": true}), "passed"),
        ("cmk-backing-key-rotation-enabled", "aws_kms_key", json!({"enable_key_rotation": false, "is_enabled": true}), "failed"),
        ("kms-key-policy-no-public-access", "aws_kms_key", json!({"policy": statement(json!("*"))}), "failed"),
        ("iam-policy-no-statements-with-admin-access", "aws_iam_policy", json!({"name": "p", "policy": all}), "failed"),
        ("sns-encrypted-kms", "aws_sns_topic", json!({"name": "t"}), "failed"),
        ("sns-topic-no-public-access", "aws_sns_topic", json!({"name": "t", "policy": statement(json!("*"))}), "failed"),
        ("sqs-queue-no-public-access", "aws_sqs_queue", json!({"name": "q", "policy": statement(json!({"AWS": "111122223333"}))}), "passed"),
        ("required-tags", "aws_s3_bucket", json!({"bucket": "b", "tags_all": {"CostCenter": "web"}}), "passed"),
    ];
    for (control, kind, values, expected) in cases {
        assert_eq!(one(control, kind, &values), format!("{kind}.x {expected}"), "{control} {values}");
    }
    assert_eq!(one("restricted-ssh", "aws_security_group_rule", &rule("egress")), "", "an egress rule");
}

#[test]
fn what_is_known_after_apply_is_unknown_unless_it_is_a_resource_or_nothing() {
    let volume = |expressions: Value| {
        let unknown = json!({"id": true, "encrypted": true});
        outcomes("encrypted-volumes", &plan(&[("aws_ebs_volume", "x", json!({}), unknown, expressions)])).concat()
    };
    let given = volume(json!({"encrypted": {"references": ["data.x.y", "data.x"]}}));
    assert_eq!(given, "aws_ebs_volume.x unknown: value known only at deployment: Encrypted (data.x.y)");
    let left = volume(json!({}));
    let decides = "(the account's encryption by default decides)";
    assert_eq!(left, format!("aws_ebs_volume.x unknown: value known only at deployment: Encrypted {decides}"));
    let key = ("aws_kms_key", "k", json!({}), json!({"id": true, "arn": true}), json!({}));
    let topic = |reference: &str| {
        let unknown = json!({"kms_master_key_id": true});
        let expressions = json!({"kms_master_key_id": {"references": [reference, "aws_kms_key.k"]}});
        let topic = ("aws_sns_topic", "t", json!({"name": "t"}), unknown, expressions);
        outcomes("sns-encrypted-kms", &plan(&[key.clone(), topic])).concat()
    };
    assert_eq!(topic("aws_kms_key.k.arn"), "aws_sns_topic.t passed");
    let group = |unknown: Value, expressions: Value, values: Value| {
        outcomes("restricted-ssh", &plan(&[("aws_security_group", "g", values, unknown, expressions)])).concat()
    };
    assert_eq!(group(json!({"ingress": true}), json!({}), json!({})), "aws_security_group.g passed");
    let peer = ("aws_security_group", "p", json!({}), json!({"id": true}), json!({}));
    let references =
        json!({"ingress": [{"security_groups": {"references": ["aws_security_group.p.id", "aws_security_group.p"]}}]});
    let unknown = json!({"ingress": [{"security_groups": true}]});
    let block = json!({"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22, "security_groups": []}]});
    let text = plan(&[("aws_security_group", "g", block, unknown, references), peer]);
    assert_eq!(outcomes("restricted-ssh", &text), ["aws_security_group.g passed", "aws_security_group.p passed"]);
    let expressions = json!({"ingress": [{"cidr_blocks": {"references": ["var.office"]}}]});
    let values = json!({"ingress": [{"protocol": "tcp", "from_port": 22, "to_port": 22}]});
    assert_eq!(
        group(json!({"ingress": [{"cidr_blocks": true}]}), expressions, values),
        "aws_security_group.g unknown: value known only at deployment: SecurityGroupIngress.0.cidr_blocks (var.office)"
    );
}

#[test]
fn parts_are_joined_by_reference_and_by_name() {
    let bucket = |values: Value| {
        ("aws_s3_bucket", "b", values, json!({"id": true, "arn": true}), json!({"bucket": {"constant_value": "logs"}}))
    };
    let by_reference = json!({"bucket": {"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]},
        "versioning_configuration": [{"status": {"constant_value": "Enabled"}}]});
    let status = json!({"versioning_configuration": [{"status": "Enabled"}]});
    let part = ("aws_s3_bucket_versioning", "v", status, json!({"bucket": true, "id": true}), by_reference);
    for values in [json!({}), json!({"bucket": "logs"})] {
        let text = plan(&[bucket(values), part.clone()]);
        assert_eq!(outcomes("s3-bucket-versioning-enabled", &text), ["aws_s3_bucket.b passed"]);
    }
    let alone = plan(&[bucket(json!({"bucket": "logs"}))]);
    assert_eq!(outcomes("s3-bucket-versioning-enabled", &alone), ["aws_s3_bucket.b failed"]);
    let block = json!({"bucket": "logs", "block_public_acls": true, "ignore_public_acls": true,
        "block_public_policy": true, "restrict_public_buckets": false});
    let constants = json!({"bucket": {"constant_value": "logs"}});
    let block = ("aws_s3_bucket_public_access_block", "p", block, json!({"id": true}), constants.clone());
    let text = plan(&[bucket(json!({"bucket": "logs"})), block]);
    assert_eq!(outcomes("s3-bucket-level-public-access-prohibited", &text), ["aws_s3_bucket.b failed"]);
    let acl = ("aws_s3_bucket_acl", "a", json!({"bucket": "logs", "acl": "public-read"}), json!({}), constants.clone());
    let owner = json!({"bucket": "logs", "rule": [{"object_ownership": "ObjectWriter"}]});
    let owner = ("aws_s3_bucket_ownership_controls", "o", owner, json!({}), constants.clone());
    let open = json!({"bucket": "logs", "block_public_acls": false, "ignore_public_acls": false});
    let open = ("aws_s3_bucket_public_access_block", "p", open, json!({}), constants);
    let text = plan(&[bucket(json!({"bucket": "logs"})), acl, owner, open]);
    assert_eq!(outcomes("s3-bucket-public-read-prohibited", &text), ["aws_s3_bucket.b failed"]);
    let user = ("aws_iam_user", "u", json!({"name": "ann"}), json!({}), json!({}));
    let attached = json!({"user": "ann", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"});
    let attached = ("aws_iam_user_policy_attachment", "a", attached, json!({}), json!({}));
    assert_eq!(outcomes("iam-user-no-policies-check", &plan(&[user, attached])), ["aws_iam_user.u failed"]);
}

#[test]
fn modules_and_counts_have_their_own_expressions() {
    let resource = |address: &str, kind: &str, values: Value| json!({"address": address, "mode": "managed", "type": kind, "name": "x", "values": values});
    let resources: Vec<Value> = (0..2)
        .flat_map(|at| {
            let module = format!("module.net[\"{at}\"]");
            [
                resource(&format!("{module}.aws_security_group.x[0]"), "aws_security_group", json!({})),
                resource(
                    &format!("{module}.aws_vpc_security_group_ingress_rule.x[0]"),
                    "aws_vpc_security_group_ingress_rule",
                    json!({"ip_protocol": "tcp", "from_port": 22, "to_port": 22,
                        "cidr_ipv4": if at == 0 { "0.0.0.0/0" } else { "10.0.0.0/8" }}),
                ),
            ]
        })
        .collect();
    let changes: Vec<Value> = resources
        .iter()
        .map(|it| json!({"address": it["address"], "change": {"after_unknown": {"security_group_id": true, "id": true}}}))
        .collect();
    let modules: Vec<Value> = resources
        .chunks(2)
        .zip(0..)
        .map(|(resources, at)| json!({"address": format!("module.net[\"{at}\"]"), "resources": resources}))
        .collect();
    let expressions = json!({"security_group_id": {"references": ["aws_security_group.x[0].id", "aws_security_group.x[0]",
        "aws_security_group.x"]}});
    let configured = json!([{"address": "aws_security_group.x", "expressions": {}},
        {"address": "aws_vpc_security_group_ingress_rule.x", "expressions": expressions}]);
    let text = json!({
        "format_version": "1.2", "planned_values": {"root_module": {"child_modules": modules}},
        "resource_changes": changes,
        "configuration": {"root_module": {"module_calls": {"net": {"module": {"resources": configured}}}}},
    });
    let expected =
        ["module.net[\"0\"].aws_security_group.x[0] failed", "module.net[\"1\"].aws_security_group.x[0] passed"];
    assert_eq!(outcomes("restricted-ssh", &text.to_string()), expected);
    let found = rows("restricted-ssh", &text.to_string());
    assert_eq!(found.iter().map(|row| row.source.clone().unwrap().to_string()).collect::<Vec<_>>(), ["plan.json"; 2]);
}

#[test]
fn what_is_no_plan_is_refused() {
    let refused = |text: &str| read(text, &target()).unwrap_err();
    let expected = "expected a plan, as `terraform show -json` prints it";
    assert!(refused("").starts_with(&format!("{expected}: EOF")));
    assert_eq!(refused("{}"), format!("{expected}, with format_version 1: received ``"));
    assert_eq!(refused(r#"{"format_version": "2.0"}"#), format!("{expected}, with format_version 1: received `2.0`"));
    assert_eq!(refused(r#"{"format_version": "1.0"}"#), format!("{expected}: received no planned_values"));
    let mut module = json!({"address": "module.a"});
    for _ in 0..20 {
        module = json!({"address": "module.a", "child_modules": [module], "resources": [7, {"type": "aws_subnet"}]});
    }
    let text = json!({"format_version": "1.0", "planned_values": {"root_module": module}}).to_string();
    assert_eq!(read(&text, &target()).unwrap().resources.len(), 20, "shapes that no plan has are skipped");
}

#[test]
fn every_attribute_goes_to_a_property_that_a_table_or_a_part_has() {
    use crate::template::kinds;
    for kind in types::TYPES {
        assert_eq!(types::TYPES.iter().filter(|it| it.terraform == kind.terraform).count(), 1, "{}", kind.terraform);
        let Some(table) = kinds::find(kind.template) else { continue };
        for Attribute { to, .. } in kind.attributes {
            let is_named = ["/Tags", "/Ingress", "/BucketName", "/SnapshotIdentifier", "/DBSnapshotIdentifier"];
            let is_read = table.properties.iter().any(|it| it.from == *to);
            assert!(is_read || is_named.contains(to), "{} {to}", kind.terraform);
        }
    }
}
