//! What `rectify.yaml` alone decides: key, network, tags, existing ledger, metrics, alarms and dashboard.

use super::*;

const KEY: &str = "mrk-0123456789abcdef0123456789abcdef";

/// The templates of one control of a service with queues, with these settings.
fn with(settings: &[(&str, &str)]) -> Templates {
    templates(&[&[("controls.sqs-queue-encrypted", "enforce")], settings].concat())
}

/// The resources of the root template of these types.
fn of_type(templates: &Templates, kinds: &[&str]) -> BTreeMap<String, Value> {
    let resources = section_of(&parsed(&templates[ROOT]), "Resources");
    resources.into_iter().filter(|(_, it)| kinds.contains(&it["Type"].as_str().unwrap())).collect()
}

/// The statements of every role and of the policies that roles attach, by logical id.
fn statements(templates: &Templates) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for text in templates.values() {
        for (id, resource) in section_of(&parsed(text), "Resources") {
            let kind = resource["Type"].as_str().unwrap();
            if ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"].contains(&kind) {
                let properties = &resource["Properties"];
                let own = properties["Policies"].as_sequence().into_iter().flatten();
                let documents = own.map(|it| &it["PolicyDocument"]).chain([&properties["PolicyDocument"]]);
                let text = documents.map(|it| serde_yaml_ng::to_string(&it["Statement"]).unwrap());
                found.insert(id, text.collect());
            }
        }
    }
    found
}

/// The policies that reach every role: the two bases and the roles without one.
const EVERY_ROLE: [&str; 5] = ["RuleBase", "RemediationBase", "ReconcilerRole", "AttributorRole", "SqsUndoRole"];

#[test]
fn a_key_encrypts_ledger_queues_and_logs_and_every_role_may_use_it() {
    let templates = with(&[("kmsKey", KEY)]);
    let arn = format!("arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:key/{KEY}");
    let kinds = ["AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::DynamoDB::Table"];
    let stores = of_type(&templates, &kinds);
    assert_eq!(stores.len(), 8, "{:?}", stores.keys());
    for (id, resource) in stores {
        let properties = &resource["Properties"];
        let key =
            [&properties["KmsMasterKeyId"], &properties["KmsKeyId"], &properties["SSESpecification"]["KMSMasterKeyId"]]
                .into_iter()
                .find_map(|it| tagged(it, "Sub"));
        assert_eq!(key, Some(arn.clone()), "{id}");
        assert!(properties["SqsManagedSseEnabled"].is_null(), "{id}");
    }
    let statements = statements(&templates);
    for id in EVERY_ROLE {
        let text = &statements[id];
        assert!(text.contains("kms:Decrypt") && text.contains(&arn) && text.contains("kms:ViaService"), "{id}: {text}");
    }
    let none = self::statements(&with(&[]));
    assert!(none.values().all(|it| !it.contains("kms:GenerateDataKey")), "{none:?}");
}

#[test]
fn a_network_is_on_every_function_and_no_function_may_use_it_itself() {
    let templates = with(&[("vpcSubnets", "subnet-0a1b2c3d,subnet-4e5f6a7b"), ("vpcSecurityGroups", "sg-8c9d0e1f")]);
    for (path, text) in &templates {
        let network = &parsed(text)["Globals"]["Function"]["VpcConfig"];
        assert_eq!(network["SubnetIds"].as_sequence().unwrap().len(), 2, "{path}");
        assert_eq!(network["SecurityGroupIds"][0].as_str(), Some("sg-8c9d0e1f"), "{path}");
    }
    let statements = statements(&templates);
    for id in EVERY_ROLE {
        let text = &statements[id];
        assert!(
            text.contains("ec2:CreateNetworkInterface") && text.contains("lambda:SourceFunctionArn"),
            "{id}: {text}"
        );
    }
}

#[test]
fn tags_are_on_every_resource_of_the_root_that_has_them_and_on_the_nested_stacks() {
    let templates = with(&[("tags", r#"{"team":"security","cost-center":"0042"}"#)]);
    let expected = r#"{"cost-center":"0042","team":"security"}"#;
    let by_key = |tags: &Value| serde_json::to_string(tags).unwrap();
    let mut counted = BTreeSet::new();
    for (id, resource) in section_of(&parsed(&templates[ROOT]), "Resources") {
        let kind = resource["Type"].as_str().unwrap().to_owned();
        let tags = &resource["Properties"]["Tags"];
        match kind.as_str() {
            "AWS::Serverless::Application" => assert_eq!(by_key(tags), expected, "{id}"),
            "AWS::CloudWatch::Alarm"
            | "AWS::DynamoDB::Table"
            | "AWS::IAM::Role"
            | "AWS::Logs::LogGroup"
            | "AWS::SQS::Queue" => {
                let tags = tags.as_sequence().unwrap_or_else(|| panic!("{id}: no tags"));
                let pairs: Vec<[&str; 2]> =
                    tags.iter().map(|it| ["Key", "Value"].map(|part| it[part].as_str().unwrap())).collect();
                assert_eq!(pairs, [["cost-center", "0042"], ["team", "security"]], "{id}");
            }
            _ => continue,
        }
        counted.insert(kind);
    }
    assert_eq!(counted.len(), 6, "{counted:?}");
    for (path, text) in &templates {
        assert_eq!(by_key(&parsed(text)["Globals"]["Function"]["Tags"]), expected, "{path}");
    }
}

#[test]
fn an_existing_ledger_is_used_in_place_of_a_new_one() {
    let templates = with(&[("existingLedger", "rectify-Ledger-1ABC")]);
    let root = &templates[ROOT];
    assert!(of_type(&templates, &["AWS::DynamoDB::Table"]).is_empty());
    assert!(!root.contains("Ref Ledger\n") && !root.contains("Ledger.Arn"), "{root}");
    let application = &section_of(&parsed(root), "Resources")["SqsControls"]["Properties"]["Parameters"];
    assert_eq!(application["Ledger"].as_str(), Some("rectify-Ledger-1ABC"));
    let arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/rectify-Ledger-1ABC";
    assert_eq!(tagged(&application["LedgerArn"], "Sub").as_deref(), Some(arn));
    let outputs = section_of(&parsed(root), "Outputs");
    assert_eq!(outputs["LedgerTable"]["Value"].as_str(), Some("rectify-Ledger-1ABC"));

    let protected = of_type(&with(&[("ledgerDeletionProtection", "true")]), &["AWS::DynamoDB::Table"]);
    assert_eq!(protected["Ledger"]["Properties"]["DeletionProtectionEnabled"].as_bool(), Some(true));
}

#[test]
fn metrics_alarms_and_the_dashboard_are_optional() {
    let alarms = |settings: &[(&str, &str)]| -> Vec<String> {
        of_type(&with(settings), &["AWS::CloudWatch::Alarm"]).into_keys().collect()
    };
    let queues = ["AttributorLettersAlarm", "DeadLettersAlarm", "UnansweredAlarm"];
    assert_eq!(alarms(&[]), [queues[0], "BreakerAlarm", queues[1], "ReconcilerAlarm", queues[2]]);
    assert_eq!(alarms(&[("metrics", "none")]), [queues[0], queues[1], "ReconcilerAlarm", queues[2]]);
    assert_eq!(alarms(&[("alarms", "false")]), [""; 0]);
    let variable = |settings: &[(&str, &str)]| {
        parsed(&with(settings)[ROOT])["Globals"]["Function"]["Environment"]["Variables"]["METRICS"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(variable(&[]), None, "the default of the functions");
    assert_eq!(variable(&[("metrics", "all")]).as_deref(), Some("all"));

    assert!(of_type(&with(&[]), &["AWS::CloudWatch::Dashboard"]).is_empty());
    let dashboard = of_type(&with(&[("dashboard", "true")]), &["AWS::CloudWatch::Dashboard"]);
    let body = tagged(&dashboard["Dashboard"]["Properties"]["DashboardBody"], "Sub").unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["widgets"].as_array().unwrap().len(), 7);
    let dead = &body["widgets"][6]["properties"]["metrics"][0][3];
    assert_eq!(dead, "${DeadLetters.QueueName}");
}

/// The linter knows every property and attribute of CloudFormation and SAM.
#[test]
fn templates_with_every_option_pass_the_linter() {
    let settings = [
        ("kmsKey", KEY),
        ("vpcSubnets", "subnet-0a1b2c3d,subnet-4e5f6a7b"),
        ("vpcSecurityGroups", "sg-8c9d0e1f"),
        ("tags", r#"{"team":"security"}"#),
        ("dashboard", "true"),
        ("metrics", "all"),
        ("ledgerDeletionProtection", "true"),
    ];
    assert_linted(&with(&settings), &[ROOT, "deploy/controls/sqs.yaml"]);
}
