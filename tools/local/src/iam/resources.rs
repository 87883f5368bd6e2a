//! The ARN a call is about, for services whose calls name one resource or a list of one kind.

use super::request::Asked;

/// The resources of a call; none where its action has no resource type.
pub(super) fn of(asked: &Asked<'_>) -> Vec<String> {
    match asked.service {
        "cloudtrail" => cloudtrail(asked),
        "monitoring" | "cloudwatch" => cloudwatch(asked),
        "config" => config(asked),
        "iam" => iam(asked),
        "kms" => asked.json("KeyId").map(|key| named(asked, "kms", "key/", key)).into_iter().collect(),
        "logs" => logs(asked),
        "rds" => rds(asked),
        "s3control" => s3control(asked),
        "sns" => asked.form("TopicArn").into_iter().collect(),
        "sqs" => asked.json("QueueUrl").map(|url| asked.arn("sqs", last(url, '/'))).into_iter().collect(),
        "ssm" => {
            let name = asked.json("Name").map(|it| it.trim_start_matches('/'));
            name.map(|it| asked.arn("ssm", &format!("parameter/{it}"))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// An ARN as it is, a name or id as the ARN of it.
fn named(asked: &Asked<'_>, service: &str, noun: &str, name: &str) -> String {
    match name {
        // IAM decides about the key that an alias names: any key.
        alias if alias.starts_with("alias/") => asked.arn(service, &format!("{noun}*")),
        arn if arn.starts_with("arn:") => match arn.split_once(":alias/") {
            Some((before, _)) => format!("{before}:{noun}*"),
            None => arn.to_owned(),
        },
        id => asked.arn(service, &format!("{noun}{id}")),
    }
}

fn last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

fn cloudtrail(asked: &Asked<'_>) -> Vec<String> {
    let mut trails: Vec<&str> = asked.json("Name").or_else(|| asked.json("TrailName")).into_iter().collect();
    if asked.operation == "ListTags" {
        trails = asked.list("ResourceIdList");
    }
    trails.into_iter().map(|it| named(asked, "cloudtrail", "trail/", it)).collect()
}

fn cloudwatch(asked: &Asked<'_>) -> Vec<String> {
    let alarms = match asked.operation {
        "PutMetricAlarm" => asked.json("AlarmName").into_iter().collect(),
        "DeleteAlarms" | "DisableAlarmActions" | "EnableAlarmActions" => asked.list("AlarmNames"),
        _ => Vec::new(),
    };
    alarms.into_iter().map(|it| asked.arn("cloudwatch", &format!("alarm:{it}"))).collect()
}

fn config(asked: &Asked<'_>) -> Vec<String> {
    match asked.operation {
        "GetComplianceDetailsByConfigRule" => asked
            .json("ConfigRuleName")
            .map(|it| asked.arn("config", &format!("config-rule/{it}")))
            .into_iter()
            .collect(),
        "StartConfigRulesEvaluation" => {
            let rules = asked.list("ConfigRuleNames");
            rules.into_iter().map(|it| asked.arn("config", &format!("config-rule/{it}"))).collect()
        }
        "StartConfigurationRecorder" | "StopConfigurationRecorder" => {
            let recorder = asked.json("ConfigurationRecorderName");
            recorder.map(|it| asked.arn("config", &format!("configuration-recorder/{it}"))).into_iter().collect()
        }
        // All there are, where none is named.
        "DescribeConfigurationRecorders" | "DescribeConfigurationRecorderStatus" => {
            vec![asked.arn("config", "configuration-recorder/*")]
        }
        _ => Vec::new(),
    }
}

fn iam(asked: &Asked<'_>) -> Vec<String> {
    let global = |rest: &str| format!("arn:{}:iam::{}:{rest}", asked.place.partition, asked.place.account);
    match asked.operation {
        // A user's path is not in the request, and here users and roles have none.
        "GetAccessKeyLastUsed" => vec![global("user/*")],
        "GetPolicy" | "GetPolicyVersion" => asked.form("PolicyArn").into_iter().collect(),
        "SimulatePrincipalPolicy" => asked.form("PolicySourceArn").into_iter().collect(),
        "GetRole" => asked.form("RoleName").map(|it| global(&format!("role/{it}"))).into_iter().collect(),
        _ => asked.form("UserName").map(|it| global(&format!("user/{it}"))).into_iter().collect(),
    }
}

fn logs(asked: &Asked<'_>) -> Vec<String> {
    match asked.operation {
        "DescribeLogGroups" => Vec::new(),
        "ListTagsForResource" => asked.json("resourceArn").map(str::to_owned).into_iter().collect(),
        _ => {
            let group = asked.json("logGroupName").or_else(|| asked.json("logGroupIdentifier")).unwrap_or("*");
            vec![named(asked, "logs", "log-group:", group)]
        }
    }
}

fn rds(asked: &Asked<'_>) -> Vec<String> {
    let on = |noun: &str, field: &str| {
        let name = asked.form(field).unwrap_or_else(|| "*".to_owned());
        vec![named(asked, "rds", noun, &name)]
    };
    match asked.operation {
        "DescribeDBInstances" | "ModifyDBInstance" => on("db:", "DBInstanceIdentifier"),
        "DescribeDBClusters" | "ModifyDBCluster" => on("cluster:", "DBClusterIdentifier"),
        _ => Vec::new(),
    }
}

fn s3control(asked: &Asked<'_>) -> Vec<String> {
    match asked.operation {
        "GetAccessPointPolicy" | "GetAccessPointPolicyStatus" => {
            let name = asked.path().split("/accesspoint/").nth(1).and_then(|it| it.split('/').next()).unwrap_or("*");
            vec![asked.arn("s3", &format!("accesspoint/{name}"))]
        }
        _ => Vec::new(),
    }
}
