//! The ARNs of a call's resources, for services whose calls name one resource or a list of one type.

use super::request::ApiCall;
use crate::proxy::lambda;

/// The resources of a call; empty if its action has no resource type.
pub(super) fn of(call: &ApiCall<'_>) -> Vec<String> {
    match call.service {
        "cloudtrail" => cloudtrail(call),
        "monitoring" | "cloudwatch" => cloudwatch(call),
        "config" => config(call),
        "elasticloadbalancing" => elasticloadbalancing(call),
        "iam" => iam(call),
        "kms" => call.json("KeyId").map(|key| named(call, "kms", "key/", key)).into_iter().collect(),
        "lambda" => lambda::function(call.path()).map(|it| lambda_function(call, it)).into_iter().collect(),
        "logs" => logs(call),
        "rds" => rds(call),
        "s3control" => s3control(call),
        "sns" => call.form("TopicArn").or_else(|| call.form("ResourceArn")).into_iter().collect(),
        "sqs" => call.json("QueueUrl").map(|url| call.arn("sqs", last(url, '/'))).into_iter().collect(),
        "ssm" => ssm(call),
        _ => Vec::new(),
    }
}

/// The ARN for an ARN, a name or an id.
fn named(call: &ApiCall<'_>, service: &str, noun: &str, name: &str) -> String {
    match name {
        // IAM authorizes the key behind the alias, which is not known here: any key.
        alias if alias.starts_with("alias/") => call.arn(service, &format!("{noun}*")),
        arn if arn.starts_with("arn:") => match arn.split_once(":alias/") {
            Some((before, _)) => format!("{before}:{noun}*"),
            None => arn.to_owned(),
        },
        id => call.arn(service, &format!("{noun}{id}")),
    }
}

fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

fn cloudtrail(call: &ApiCall<'_>) -> Vec<String> {
    let mut trails: Vec<&str> = call.json("Name").or_else(|| call.json("TrailName")).into_iter().collect();
    if call.operation == "ListTags" {
        trails = call.list("ResourceIdList");
    }
    trails.into_iter().map(|it| named(call, "cloudtrail", "trail/", it)).collect()
}

fn cloudwatch(call: &ApiCall<'_>) -> Vec<String> {
    let alarms = match call.operation {
        "PutMetricAlarm" => call.json("AlarmName").into_iter().collect(),
        "DeleteAlarms" | "DisableAlarmActions" | "EnableAlarmActions" => call.list("AlarmNames"),
        _ => Vec::new(),
    };
    alarms.into_iter().map(|it| call.arn("cloudwatch", &format!("alarm:{it}"))).collect()
}

fn config(call: &ApiCall<'_>) -> Vec<String> {
    match call.operation {
        "GetComplianceDetailsByConfigRule" => {
            call.json("ConfigRuleName").map(|it| call.arn("config", &format!("config-rule/{it}"))).into_iter().collect()
        }
        "StartConfigRulesEvaluation" => {
            let rules = call.list("ConfigRuleNames");
            rules.into_iter().map(|it| call.arn("config", &format!("config-rule/{it}"))).collect()
        }
        "StartConfigurationRecorder" | "StopConfigurationRecorder" => {
            let recorder = call.json("ConfigurationRecorderName");
            recorder.map(|it| call.arn("config", &format!("configuration-recorder/{it}"))).into_iter().collect()
        }
        // Without a name: all recorders.
        "DescribeConfigurationRecorders" | "DescribeConfigurationRecorderStatus" => {
            vec![call.arn("config", "configuration-recorder/*")]
        }
        _ => Vec::new(),
    }
}

fn elasticloadbalancing(call: &ApiCall<'_>) -> Vec<String> {
    match call.operation {
        // Reads have no resource type, although they name a load balancer.
        "ModifyLoadBalancerAttributes" => call.form("LoadBalancerArn").into_iter().collect(),
        _ => Vec::new(),
    }
}

fn iam(call: &ApiCall<'_>) -> Vec<String> {
    let global = |rest: &str| format!("arn:{}:iam::{}:{rest}", call.place.partition, call.place.account);
    match call.operation {
        // The request does not contain a user's path; local users and roles have none.
        "GetAccessKeyLastUsed" => vec![global("user/*")],
        "GetPolicy" | "GetPolicyVersion" | "ListEntitiesForPolicy" => call.form("PolicyArn").into_iter().collect(),
        "SimulatePrincipalPolicy" => call.form("PolicySourceArn").into_iter().collect(),
        "GetRole" => call.form("RoleName").map(|it| global(&format!("role/{it}"))).into_iter().collect(),
        _ => call.form("UserName").map(|it| global(&format!("user/{it}"))).into_iter().collect(),
    }
}

/// The path of a call about tags has the percent-encoded ARN, every other one the name.
fn lambda_function(call: &ApiCall<'_>, named: &str) -> String {
    let named = named.replace("%3A", ":").replace("%3a", ":");
    call.arn("lambda", &format!("function:{}", last(&named, ':')))
}

fn logs(call: &ApiCall<'_>) -> Vec<String> {
    match call.operation {
        "DescribeLogGroups" => Vec::new(),
        "ListTagsForResource" => call.json("resourceArn").map(str::to_owned).into_iter().collect(),
        _ => {
            let group = call.json("logGroupName").or_else(|| call.json("logGroupIdentifier")).unwrap_or("*");
            vec![named(call, "logs", "log-group:", group)]
        }
    }
}

fn rds(call: &ApiCall<'_>) -> Vec<String> {
    let on = |noun: &str, field: &str| {
        let name = call.form(field).unwrap_or_else(|| "*".to_owned());
        vec![named(call, "rds", noun, &name)]
    };
    match call.operation {
        "DescribeDBInstances" | "ModifyDBInstance" => on("db:", "DBInstanceIdentifier"),
        "DescribeDBClusters" | "ModifyDBCluster" => on("cluster:", "DBClusterIdentifier"),
        "DescribeDBSnapshotAttributes" | "ModifyDBSnapshotAttribute" => on("snapshot:", "DBSnapshotIdentifier"),
        "DescribeDBClusterSnapshotAttributes" | "ModifyDBClusterSnapshotAttribute" => {
            on("cluster-snapshot:", "DBClusterSnapshotIdentifier")
        }
        _ => Vec::new(),
    }
}

fn s3control(call: &ApiCall<'_>) -> Vec<String> {
    match call.operation {
        "GetAccessPointPolicy" | "GetAccessPointPolicyStatus" => {
            let name = call.path().split("/accesspoint/").nth(1).and_then(|it| it.split('/').next()).unwrap_or("*");
            vec![call.arn("s3", &format!("accesspoint/{name}"))]
        }
        _ => Vec::new(),
    }
}

fn ssm(call: &ApiCall<'_>) -> Vec<String> {
    let (noun, field) = match call.operation {
        "DescribeDocument" | "DescribeDocumentPermission" | "ModifyDocumentPermission" => ("document", "Name"),
        "GetServiceSetting" | "UpdateServiceSetting" => ("servicesetting", "SettingId"),
        _ => ("parameter", "Name"),
    };
    let name = call.json(field).map(|it| it.trim_start_matches('/'));
    name.map(|it| call.arn("ssm", &format!("{noun}/{it}"))).into_iter().collect()
}
