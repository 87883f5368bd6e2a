//! The template as local AWS reads it: a small one for every expression and error, and the real one.

use std::collections::BTreeMap;
use std::time::Duration;

use rectify_local::stack::{
    Deployment, EventRule, Function, Mapping, OnFailure, Redrive, Stack, StackError, Target, Trigger,
};
use rectify_tests::deployment::templates;
use serde_json::json;

fn deployment(parameters: &[(&str, &str)]) -> Deployment {
    Deployment {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
        stack: "rectify".to_owned(),
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn read(template: &str, parameters: &[(&str, &str)]) -> Result<Stack, StackError> {
    Stack::read(&[("template.yaml".to_owned(), template.to_owned())].into(), &deployment(parameters))
}

const SMALL: &str = r#"
Parameters:
  Prefix: { Type: String, Default: rectify- }
  Mode: { Type: String, Default: plan, AllowedValues: [observe, plan, enforce] }
  Budget: { Type: Number, Default: 5, MinValue: 1, MaxValue: 100 }
  RuleParameters: { Type: String, Default: "{}", MaxLength: 20 }
Conditions:
  Enforces: !Equals [!Ref Mode, enforce]
  Remediates: !Or [!Condition Enforces, !Equals [!Ref Mode, plan]]
  AtHome: !And [!Equals [!Ref "AWS::Region", us-east-1], !Not [!Equals [!Ref "AWS::Partition", aws-cn]]]
Globals:
  Function:
    Timeout: 60
    Environment: { Variables: { HOME_REGION: !Ref "AWS::Region" } }
Resources:
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
  Dead: { Type: AWS::SQS::Queue }
  Requests:
    Type: AWS::SQS::Queue
    Properties: { RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 } }
  RequestMapping:
    Type: AWS::Lambda::EventSourceMapping
    Condition: AtHome
    Properties: { EventSourceArn: !GetAtt Requests.Arn, FunctionName: !Ref Evaluator, BatchSize: 2, FunctionResponseTypes: [ReportBatchItemFailures] }
  Topic: { Type: AWS::SNS::Topic, Properties: { Odd: !Select [0, [a]] } }
  Evaluator:
    Type: AWS::Serverless::Function
    Condition: AtHome
    Properties:
      FunctionName: !Sub "${Prefix}open-widget"
      CodeUri: target/lambda/open-widget/
  Rule:
    Type: AWS::Config::ConfigRule
    Condition: AtHome
    DependsOn: RulePermission
    Properties:
      ConfigRuleName: !Sub "${Prefix}open-widget"
      InputParameters: !Ref RuleParameters
      Scope: { ComplianceResourceTypes: ["AWS::EC2::SecurityGroup"] }
      Source:
        Owner: CUSTOM_LAMBDA
        SourceIdentifier: !GetAtt Evaluator.Arn
        SourceDetails: [{ EventSource: aws.config, MessageType: ConfigurationItemChangeNotification }]
  RulePermission:
    Type: AWS::Lambda::Permission
    Condition: AtHome
    Properties: { Action: "lambda:InvokeFunction", FunctionName: !GetAtt Evaluator.Arn, Principal: config.amazonaws.com }
  Fix:
    Type: AWS::Serverless::Function
    Condition: Remediates
    Properties:
      FunctionName: !Join ["", [!Ref Prefix, open-widget, -fix]]
      CodeUri: target/lambda/open-widget-remediation
      MemorySize: 256
      EventInvokeConfig: { MaximumRetryAttempts: 1, DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Dead.Arn } } }
      Environment:
        Variables:
          MAX_FIXES_PER_HOUR: !Ref Budget
          LEDGER_TABLE: !Ref Ledger
          RULE_NAMES: !Ref Rule
          TEXT: !Sub ["${!kept} ${Own} ${Dead.QueueName} ${AWS::AccountId}", { Own: !Ref Mode }]
          ONLY_ENFORCED: !If [Enforces, "yes", !Ref "AWS::NoValue"]
  Found:
    Type: AWS::Events::Rule
    Condition: Remediates
    Properties:
      EventPattern: { source: [aws.config], detail: { configRuleName: [!Ref Rule] } }
      Targets: [{ Id: fix, Arn: !GetAtt Fix.Arn }, { Id: dead, Arn: !GetAtt Dead.Arn }]
  FoundPermission:
    Type: AWS::Lambda::Permission
    Condition: Remediates
    Properties: { Action: "lambda:InvokeFunction", FunctionName: !Ref Fix, Principal: events.amazonaws.com, SourceArn: !GetAtt Found.Arn }
"#;

fn fix(mode: &str, more: &[(&str, &str)]) -> Function {
    let fixed = [
        ("MAX_FIXES_PER_HOUR", "5"),
        ("HOME_REGION", "us-east-1"),
        ("LEDGER_TABLE", "rectify-Ledger"),
        ("RULE_NAMES", "rectify-open-widget"),
    ];
    let mut environment: BTreeMap<String, String> =
        fixed.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    environment.insert("TEXT".to_owned(), format!("${{kept}} {mode} rectify-Dead 111122223333"));
    Function {
        logical_id: "Fix".to_owned(),
        name: "rectify-open-widget-fix".to_owned(),
        arn: "arn:aws:lambda:us-east-1:111122223333:function:rectify-open-widget-fix".to_owned(),
        binary: "open-widget-remediation".to_owned(),
        environment,
        timeout: Duration::from_secs(60),
        memory: 256,
        retries: 1,
        on_failure: Some(OnFailure::Destination("arn:aws:sqs:us-east-1:111122223333:rectify-Dead".to_owned())),
        role: None,
    }
}

#[test]
fn every_expression_is_resolved() {
    let stack = read(SMALL, &[]).unwrap();
    assert_eq!(stack.function("rectify-open-widget-fix"), Some(&fix("plan", &[])));
    assert_eq!(
        stack.function("rectify-open-widget").map(|it| (it.timeout, it.memory, it.retries)),
        Some((Duration::from_secs(60), 128, 2))
    );
    assert_eq!(
        stack.event_rules,
        [EventRule {
            logical_id: "Found".to_owned(),
            name: "rectify-Found".to_owned(),
            trigger: Trigger::Pattern(
                json!({ "source": ["aws.config"], "detail": { "configRuleName": ["rectify-open-widget"] } })
            ),
            targets: vec![
                Target::Function { name: "rectify-open-widget-fix".to_owned(), input: None },
                Target::Queue("rectify-Dead".to_owned())
            ],
            enabled: true,
        }]
    );
    let rule = &stack.rules[0];
    assert_eq!((rule.name.as_str(), rule.function.as_str()), ("rectify-open-widget", "rectify-open-widget"));
    assert_eq!(rule.definition.input_parameters.as_deref(), Some("{}"));
    assert_eq!(stack.tables[0].time_to_live.as_deref(), Some("expires"));
    assert_eq!(stack.ignored, ["Topic (AWS::SNS::Topic)"]);
    let mapping = Mapping {
        logical_id: "RequestMapping".to_owned(),
        queue: "rectify-Requests".to_owned(),
        function: "rectify-open-widget".to_owned(),
        batch: 2,
        partial: true,
    };
    assert_eq!(stack.mappings, [mapping]);
    let redrive = Redrive { arn: "arn:aws:sqs:us-east-1:111122223333:rectify-Dead".to_owned(), most: 3 };
    let redrives: Vec<Option<Redrive>> = stack.queues.iter().map(|queue| queue.redrive.clone()).collect();
    assert_eq!(redrives, [None, Some(redrive)]);
}

#[test]
fn conditions_and_parameters_decide_what_exists() {
    let enforced = read(SMALL, &[("Mode", "enforce")]).unwrap();
    assert_eq!(enforced.function("rectify-open-widget-fix"), Some(&fix("enforce", &[("ONLY_ENFORCED", "yes")])));
    let observed = read(SMALL, &[("Mode", "observe")]).unwrap();
    assert_eq!((observed.functions.len(), observed.event_rules.len(), observed.rules.len()), (1, 0, 1));
    let prefixed = read(SMALL, &[("Prefix", "team-")]).unwrap();
    assert_eq!(prefixed.rules[0].name, "team-open-widget");
}

/// A text in the small template, its replacement, parameters, and the expected error.
type Invalid<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn invalid_templates_are_refused_with_a_named_error() {
    let rows: &[Invalid<'_>] = &[
        (
            "MemorySize: 256",
            "MemorySize: !FindInMap [a, b, c]",
            &[],
            "template: resource `Fix`.MemorySize.Fn::FindInMap: `Fn::FindInMap` is not supported locally",
        ),
        (
            "!Ref Ledger",
            "!Ref Absent",
            &[],
            "template: resource `Fix`.Environment.Variables.LEDGER_TABLE.Ref: `Absent` is not a parameter or resource",
        ),
        ("!Condition Enforces", "!Condition Remediates", &[], "template: condition `Remediates`: circular reference"),
        (
            "Type: AWS::Lambda::EventSourceMapping",
            "Type: AWS::SQS::Kueue",
            &[],
            "template: resource `RequestMapping`: type `AWS::SQS::Kueue` is not supported locally: implement it or list it as ignored",
        ),
        (
            "Principal: config.amazonaws.com",
            "Principal: events.amazonaws.com",
            &[],
            "template: `rectify-open-widget` may not invoke function `rectify-open-widget`: no AWS::Lambda::Permission for config.amazonaws.com",
        ),
        (
            "MaximumRetryAttempts: 1",
            "MaximumRetryAttempts: 3",
            &[],
            "template: resource `Fix`: `EventInvokeConfig.MaximumRetryAttempts`: expected 0 to 2: received `3`",
        ),
        (
            "EventSourceArn: !GetAtt Requests.Arn",
            "EventSourceArn: !GetAtt Evaluator.Arn",
            &[],
            "template: resource `RequestMapping`: `EventSourceArn`: `arn:aws:lambda:us-east-1:111122223333:function:rectify-open-widget` is not a function or queue of this template",
        ),
        (
            "x",
            "x",
            &[("Mode", "off")],
            "template: parameter `Mode`: expected one of observe, plan, enforce: received `off`",
        ),
        ("x", "x", &[("Budget", "0")], "template: parameter `Budget`: out of the template's range: received `0`"),
        ("x", "x", &[("Color", "red")], "template: parameter `Color`: the template has no such parameter"),
        (
            "x",
            "x",
            &[("RuleParameters", "{\"a\":\"0123456789012\"}")],
            "template: parameter `RuleParameters`: 21 characters: out of the template's range",
        ),
    ];
    for (from, to, parameters, message) in rows {
        let refusal = read(&SMALL.replace(from, to), parameters).unwrap_err();
        assert_eq!(refusal.to_string(), *message);
    }
}

#[test]
fn resource_with_a_false_condition_cannot_be_referenced() {
    let refusal = read(&SMALL.replace("us-east-1]", "eu-west-1]"), &[]).unwrap_err();
    assert!(refusal.to_string().ends_with("is not deployed: condition `AtHome` is false"), "{refusal}");
}

#[test]
fn real_templates_are_wired_in_every_mode() {
    let of = |settings: &[(&str, &str)]| Stack::read(&templates(settings), &deployment(&[])).unwrap();
    for (mode, functions, events) in [("off", 0, 0), ("observe", 1, 0), ("plan", 2, 1), ("enforce", 2, 1)] {
        let stack = of(&[("mode", "plan"), ("controls.restricted-ssh", mode)]);
        let ssh: Vec<&str> = stack
            .functions
            .iter()
            .map(|it| it.binary.as_str())
            .filter(|binary| binary.starts_with("restricted-ssh"))
            .collect();
        let patterns = stack.event_rules.iter().filter(|rule| rule.logical_id == "RestrictedSshFixEvents").count();
        assert_eq!((ssh.len(), patterns), (functions, events), "{mode}: {ssh:?}");
    }
    let stack = of(&[("mode", "plan")]);
    for rule in &stack.rules {
        assert_eq!(rule.name, rule.function, "a Config rule and its function have the same name");
    }
    assert_eq!(stack.rules.len(), rectify_catalogue::controls().count());
    let alone = of(&[("controls.restricted-ssh", "observe")]);
    assert_eq!(alone.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["rectify-restricted-ssh"]);
}

#[test]
fn nested_template_gets_its_parameters_and_the_name_of_its_stack() {
    let nested = SMALL.replace("Default: rectify- }", "Default: other- }");
    let root = "
Parameters:
  Prefix: { Type: String, Default: rectify- }
Resources:
  Widgets:
    Type: AWS::Serverless::Application
    Properties: { Location: deploy/widgets.yaml, Parameters: { Prefix: !Ref Prefix, Budget: 7 } }
";
    let of = |root: &str| {
        let templates = [("template.yaml", root), ("deploy/widgets.yaml", &*nested)];
        Stack::read(&templates.map(|(path, text)| (path.to_owned(), text.to_owned())).into(), &deployment(&[]))
    };
    let (stack, alone) = (of(root).unwrap(), read(SMALL, &[("Budget", "7")]).unwrap());
    let names = |stack: &Stack| stack.functions.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&stack), names(&alone), "the prefix and the budget are passed");
    assert_eq!(stack.tables[0].name, "rectify-Widgets-Ledger");
    let missing = of(&root.replace("widgets.yaml", "gadgets.yaml")).unwrap_err();
    assert_eq!(missing.to_string(), "template: `deploy/gadgets.yaml`: no such template");
    let unknown = of(&root.replace("Budget: 7", "Bugdet: 7")).unwrap_err();
    assert_eq!(unknown.to_string(), "template: parameter `Bugdet`: the template has no such parameter");
}
