//! Calls as the SDKs send them, and the IAM requests of each.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use axum::http::Request as Http;
use serde_json::json;

use super::*;

fn requested(service: &str, headers: &[(&str, &str)], method: &str, uri: &str, body: &str) -> Vec<Request> {
    let mut request = Http::builder().method(method).uri(uri);
    let signed = format!("AWS4-HMAC-SHA256 Credential=LKIA/20260101/eu-west-1/{service}/aws4_request, Signature=0");
    request = request.header("authorization", signed);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let place = Place {
        partition: "aws".to_owned(),
        account: "111122223333".to_owned(),
        keys: BTreeMap::from([("t".to_owned(), "pk".to_owned())]),
    };
    requests(&CallName::of(&head, body.as_bytes()), &head, body.as_bytes(), &place)
}

fn json_call(service: &str, operation: &str, body: &Value) -> Vec<Request> {
    requested(service, &[("x-amz-target", &format!("Target.{operation}"))], "POST", "/", &body.to_string())
}

fn form_call(service: &str, body: &str) -> Vec<Request> {
    requested(service, &[("content-type", "application/x-www-form-urlencoded")], "POST", "/", body)
}

/// Action and resource of each request; `R` replaces region and account in ARNs.
fn action_and_resource(requests: &[Request]) -> Vec<String> {
    let short = |it: &Request| format!("{} {}", it.action, it.resource.replace("eu-west-1:111122223333", "R"));
    requests.iter().map(short).collect()
}

fn values<'a>(request: &'a Request, key: &str) -> &'a [String] {
    request.context.get(key).map(Vec::as_slice).unwrap_or_default()
}

#[test]
fn calls_request_the_resources_they_name() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/k";
    for (service, operation, body, expected) in [
        ("cloudtrail", "DescribeTrails", json!({"trailNameList": ["a"]}), "cloudtrail:DescribeTrails *"),
        ("cloudtrail", "GetTrail", json!({"Name": "a"}), "cloudtrail:GetTrail arn:aws:cloudtrail:R:trail/a"),
        (
            "cloudtrail",
            "GetEventSelectors",
            json!({"TrailName": "a"}),
            "cloudtrail:GetEventSelectors arn:aws:cloudtrail:R:trail/a",
        ),
        ("cloudtrail", "ListTags", json!({"ResourceIdList": ["arn:aws:x"]}), "cloudtrail:ListTags arn:aws:x"),
        ("config", "PutEvaluations", json!({}), "config:PutEvaluations *"),
        (
            "config",
            "GetComplianceDetailsByConfigRule",
            json!({"ConfigRuleName": "a"}),
            "config:GetComplianceDetailsByConfigRule arn:aws:config:R:config-rule/a",
        ),
        (
            "config",
            "StartConfigRulesEvaluation",
            json!({"ConfigRuleNames": ["a"]}),
            "config:StartConfigRulesEvaluation arn:aws:config:R:config-rule/a",
        ),
        (
            "config",
            "StartConfigurationRecorder",
            json!({"ConfigurationRecorderName": "d"}),
            "config:StartConfigurationRecorder arn:aws:config:R:configuration-recorder/d",
        ),
        (
            "config",
            "DescribeConfigurationRecorders",
            json!({}),
            "config:DescribeConfigurationRecorders arn:aws:config:R:configuration-recorder/*",
        ),
        ("kms", "ListKeys", json!({}), "kms:ListKeys *"),
        ("kms", "DescribeKey", json!({"KeyId": "k"}), "kms:DescribeKey arn:aws:kms:R:key/k"),
        ("kms", "DescribeKey", json!({"KeyId": arn}), "kms:DescribeKey arn:aws:kms:R:key/k"),
        ("kms", "DescribeKey", json!({"KeyId": "alias/a"}), "kms:DescribeKey arn:aws:kms:R:key/*"),
        ("logs", "DescribeLogGroups", json!({}), "logs:DescribeLogGroups *"),
        (
            "logs",
            "PutRetentionPolicy",
            json!({"logGroupName": "g"}),
            "logs:PutRetentionPolicy arn:aws:logs:R:log-group:g",
        ),
        ("logs", "DescribeMetricFilters", json!({}), "logs:DescribeMetricFilters arn:aws:logs:R:log-group:*"),
        (
            "monitoring",
            "PutMetricAlarm",
            json!({"AlarmName": "a"}),
            "cloudwatch:PutMetricAlarm arn:aws:cloudwatch:R:alarm:a",
        ),
        (
            "monitoring",
            "EnableAlarmActions",
            json!({"AlarmNames": ["a"]}),
            "cloudwatch:EnableAlarmActions arn:aws:cloudwatch:R:alarm:a",
        ),
        ("monitoring", "GetMetricData", json!({}), "cloudwatch:GetMetricData *"),
        (
            "sqs",
            "SendMessage",
            json!({"QueueUrl": "http://127.0.0.1/111122223333/q"}),
            "sqs:SendMessage arn:aws:sqs:R:q",
        ),
        ("ssm", "GetParameter", json!({"Name": "/rectify/a"}), "ssm:GetParameter arn:aws:ssm:R:parameter/rectify/a"),
        ("ssm", "ListDocuments", json!({}), "ssm:ListDocuments *"),
        ("ssm", "DescribeDocument", json!({"Name": "d"}), "ssm:DescribeDocument arn:aws:ssm:R:document/d"),
        (
            "ssm",
            "GetServiceSetting",
            json!({"SettingId": "/ssm/a"}),
            "ssm:GetServiceSetting arn:aws:ssm:R:servicesetting/ssm/a",
        ),
        ("tagging", "GetResources", json!({}), "tag:GetResources *"),
    ] {
        assert_eq!(action_and_resource(&json_call(service, operation, &body)), [expected], "{service}:{operation}");
    }
    for (service, body, expected) in [
        ("ec2", "Action=DescribeSecurityGroups&GroupId.1=sg-1", "ec2:DescribeSecurityGroups *"),
        (
            "ec2",
            "Action=RevokeSecurityGroupIngress&GroupId=sg-1",
            "ec2:RevokeSecurityGroupIngress arn:aws:ec2:R:security-group/sg-1",
        ),
        (
            "ec2",
            "Action=GetManagedPrefixListEntries&PrefixListId=pl-1",
            "ec2:GetManagedPrefixListEntries arn:aws:ec2:R:prefix-list/pl-1",
        ),
        (
            "elasticloadbalancing",
            "Action=DescribeLoadBalancerAttributes&LoadBalancerArn=arn%3Aaws%3Al",
            "elasticloadbalancing:DescribeLoadBalancerAttributes *",
        ),
        (
            "elasticloadbalancing",
            "Action=ModifyLoadBalancerAttributes&LoadBalancerArn=arn%3Aaws%3Al",
            "elasticloadbalancing:ModifyLoadBalancerAttributes arn:aws:l",
        ),
        ("iam", "Action=ListUsers", "iam:ListUsers *"),
        (
            "iam",
            "Action=UpdateAccessKey&UserName=ada&AccessKeyId=A",
            "iam:UpdateAccessKey arn:aws:iam::111122223333:user/ada",
        ),
        ("iam", "Action=GetRole&RoleName=r", "iam:GetRole arn:aws:iam::111122223333:role/r"),
        ("iam", "Action=GetPolicy&PolicyArn=arn%3Aaws%3Ap", "iam:GetPolicy arn:aws:p"),
        ("iam", "Action=ListEntitiesForPolicy&PolicyArn=arn%3Aaws%3Ap", "iam:ListEntitiesForPolicy arn:aws:p"),
        ("rds", "Action=DescribeDBInstances", "rds:DescribeDBInstances arn:aws:rds:R:db:*"),
        ("rds", "Action=ModifyDBInstance&DBInstanceIdentifier=d", "rds:ModifyDBInstance arn:aws:rds:R:db:d"),
        ("rds", "Action=ModifyDBCluster&DBClusterIdentifier=c", "rds:ModifyDBCluster arn:aws:rds:R:cluster:c"),
        ("rds", "Action=DescribeDBSnapshots", "rds:DescribeDBSnapshots *"),
        (
            "rds",
            "Action=ModifyDBSnapshotAttribute&DBSnapshotIdentifier=s",
            "rds:ModifyDBSnapshotAttribute arn:aws:rds:R:snapshot:s",
        ),
        (
            "rds",
            "Action=DescribeDBClusterSnapshotAttributes&DBClusterSnapshotIdentifier=s",
            "rds:DescribeDBClusterSnapshotAttributes arn:aws:rds:R:cluster-snapshot:s",
        ),
        ("sns", "Action=GetTopicAttributes&TopicArn=arn%3Aaws%3At", "sns:GetTopicAttributes arn:aws:t"),
    ] {
        assert_eq!(action_and_resource(&form_call(service, body)), [expected], "{body}");
    }
    for (method, uri, expected) in [
        ("GET", "/", "s3:ListAllMyBuckets *"),
        ("GET", "/logs?publicAccessBlock", "s3:GetBucketPublicAccessBlock arn:aws:s3:::logs"),
        ("DELETE", "/logs?lifecycle", "s3:PutLifecycleConfiguration arn:aws:s3:::logs"),
        ("GET", "/logs/sg-baseline/sg-1", "s3:GetObject arn:aws:s3:::logs/sg-baseline/sg-1"),
        ("PUT", "/v20180820/configuration/publicAccessBlock", "s3:PutAccountPublicAccessBlock *"),
        ("GET", "/v20180820/accesspoint/p/policyStatus", "s3:GetAccessPointPolicyStatus arn:aws:s3:R:accesspoint/p"),
    ] {
        assert_eq!(action_and_resource(&requested("s3", &[], method, uri, "")), [expected], "{method} {uri}");
    }
    let bucket = requested("s3", &[], "GET", "/logs?policy", "");
    assert_eq!(values(&bucket[0], "aws:resourceaccount"), ["111122223333"]);
}

#[test]
fn transaction_is_authorized_item_by_item_with_its_key() {
    let text = |value: &str| json!({"S": value});
    let body = json!({"TransactItems": [
        {"Put": {"TableName": "t", "Item": {"pk": text("a#A"), "sk": text("1")}}},
        {"Update": {"TableName": "t", "Key": {"pk": text("L#r")}}},
        {"Delete": {"TableName": "t", "Key": {"pk": text("a#OPEN")}}},
        {"ConditionCheck": {"TableName": "t", "Key": {"pk": text("STOP")}}},
    ]});
    let requests = json_call("dynamodb", "TransactWriteItems", &body);
    let table = "arn:aws:dynamodb:R:table/t";
    let expected =
        ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"].map(|it| format!("dynamodb:{it} {table}"));
    assert_eq!(action_and_resource(&requests), expected);
    let keys: Vec<&[String]> = requests.iter().map(|it| values(it, "dynamodb:leadingkeys")).collect();
    assert_eq!(keys, [["a#A"], ["L#r"], ["a#OPEN"], ["STOP"]]);
    assert_eq!(values(&requests[0], "dynamodb:enclosingoperation"), ["TransactWriteItems"]);

    let query = json!({"TableName": "t", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": text("X#*"), ":prefix": text("a")}});
    let query = json_call("dynamodb", "Query", &query);
    assert_eq!(
        (action_and_resource(&query), values(&query[0], "dynamodb:leadingkeys")),
        (vec![format!("dynamodb:Query {table}")], &["X#*".to_owned()][..])
    );
    let other = json_call("dynamodb", "PutItem", &json!({"TableName": "u", "Item": {"pk": text("a")}}));
    assert_eq!(values(&other[0], "dynamodb:leadingkeys"), [""; 0], "a table with an unknown key");
}

#[test]
fn requests_carry_condition_keys() {
    let events = json!({"Entries": [
        {"Source": "rectify", "DetailType": "Rectify Plan", "EventBusName": "default"},
        {"Source": "other", "DetailType": "Other"},
    ]});
    let events = json_call("events", "PutEvents", &events);
    assert_eq!(action_and_resource(&events), ["events:PutEvents arn:aws:events:R:event-bus/default"; 2]);
    assert_eq!(values(&events[0], "events:detail-type"), ["Rectify Plan"]);
    assert_eq!(values(&events[1], "events:source"), ["other"]);

    let tags = form_call(
        "ec2",
        "Action=CreateTags&ResourceId.1=i-1&ResourceId.2=sg-2&Tag.1.Key=Owner&Tag.1.Value=ada&Tag.2.Key=b",
    );
    assert_eq!(
        action_and_resource(&tags),
        ["instance/i-1", "security-group/sg-2"].map(|it| format!("ec2:CreateTags arn:aws:ec2:R:{it}"))
    );
    assert_eq!(values(&tags[1], "aws:tagkeys"), ["Owner", "b"]);

    let body = "Action=AuthorizeSecurityGroupEgress&GroupId=sg-1&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=k";
    let made = form_call("ec2", body);
    let rule = "arn:aws:ec2:R:security-group-rule/*";
    let expected = [
        "ec2:AuthorizeSecurityGroupEgress arn:aws:ec2:R:security-group/sg-1".to_owned(),
        format!("ec2:AuthorizeSecurityGroupEgress {rule}"),
        format!("ec2:CreateTags {rule}"),
    ];
    assert_eq!(action_and_resource(&made), expected);
    assert_eq!(values(&made[2], "ec2:createaction"), ["AuthorizeSecurityGroupEgress"]);

    let options = form_call("ec2", "Action=ModifyInstanceMetadataOptions&InstanceId=i-1&HttpTokens=required");
    assert_eq!(values(&options[0], "ec2:attribute/httptokens"), ["required"]);
    let made = form_call("ec2", "Action=CreateFlowLogs&ResourceType=VPC&ResourceId.1=vpc-1&LogDestinationType=s3");
    let expected = [
        "ec2:CreateFlowLogs arn:aws:ec2:R:vpc/vpc-1",
        "ec2:CreateFlowLogs arn:aws:ec2:R:vpc-flow-log/*",
        "logs:CreateLogDelivery *",
        "logs:DeleteLogDelivery *",
    ];
    assert_eq!(action_and_resource(&made), expected);
    let closed = "Action=ModifySnapshotAttribute&SnapshotId=snap-1&OperationType=remove&UserGroup.1=all";
    let closed = form_call("ec2", closed);
    let snapshot = "arn:aws:ec2:eu-west-1::snapshot/snap-1";
    assert_eq!(action_and_resource(&closed), [format!("ec2:ModifySnapshotAttribute {snapshot}")]);
    assert_eq!(values(&closed[0], "ec2:remove/group"), ["all"]);
    let attached = form_call("iam", "Action=AttachUserPolicy&UserName=ada&PolicyArn=arn%3Aaws%3Ap");
    assert_eq!(action_and_resource(&attached), ["iam:AttachUserPolicy arn:aws:iam::111122223333:user/ada"]);
    assert_eq!(values(&attached[0], "iam:policyarn"), ["arn:aws:p"]);

    let body = json!({"Name": "arn:aws:cloudtrail:x", "CloudWatchLogsRoleArn": "arn:aws:iam::1:role/r"});
    let passed = json_call("cloudtrail", "UpdateTrail", &body);
    assert_eq!(
        action_and_resource(&passed),
        ["cloudtrail:UpdateTrail arn:aws:cloudtrail:x", "iam:PassRole arn:aws:iam::1:role/r"]
    );
    assert_eq!(values(&passed[1], "iam:passedtoservice"), ["cloudtrail.amazonaws.com"]);
    let cleared = json_call("cloudtrail", "UpdateTrail", &json!({"Name": "arn:aws:x", "CloudWatchLogsRoleArn": ""}));
    assert_eq!(action_and_resource(&cleared), ["cloudtrail:UpdateTrail arn:aws:x"], "no role is passed");
}
