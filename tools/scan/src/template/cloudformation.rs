//! A CloudFormation template: its resources with resolved properties.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::intrinsics::{Known, Names};
use super::{Declared, Gap, Opening, Target, Unread, companions, document};

/// The resources of a template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Template {
    /// Those with readable properties, in the order of the file.
    pub resources: Vec<Declared>,
    /// Those that are known only at deployment.
    pub unread: Vec<Unread>,
}

/// The values of template parameters, by name.
pub type ParameterValues = BTreeMap<String, Value>;

/// Types whose names of a new resource follow from one property, with the service, whether the ARN has a region and an
/// account, and the prefix in it.
const NAMES: [(&str, &str, &str, bool, bool, &str); 15] = [
    ("AWS::S3::Bucket", "BucketName", "s3", false, false, ""),
    ("AWS::SNS::Topic", "TopicName", "sns", true, true, ""),
    ("AWS::SQS::Queue", "QueueName", "sqs", true, true, ""),
    ("AWS::KMS::Key", "", "kms", true, true, "key/"),
    ("AWS::IAM::Role", "RoleName", "iam", false, true, "role/"),
    ("AWS::IAM::User", "UserName", "iam", false, true, "user/"),
    ("AWS::IAM::Group", "GroupName", "iam", false, true, "group/"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "iam", false, true, "policy/"),
    ("AWS::Logs::LogGroup", "LogGroupName", "logs", true, true, "log-group:"),
    ("AWS::DynamoDB::Table", "TableName", "dynamodb", true, true, "table/"),
    ("AWS::CloudTrail::Trail", "TrailName", "cloudtrail", true, true, "trail/"),
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier", "rds", true, true, "db:"),
    ("AWS::RDS::DBCluster", "DBClusterIdentifier", "rds", true, true, "cluster:"),
    ("AWS::Lambda::Function", "FunctionName", "lambda", true, true, "function:"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", "elasticloadbalancing", true, true, "loadbalancer/"),
];

/// Types whose `Ref` is the ARN.
const BY_ARN: [&str; 3] = ["AWS::SNS::Topic", "AWS::IAM::ManagedPolicy", "AWS::ElasticLoadBalancingV2::LoadBalancer"];

/// Reads a template.
///
/// # Errors
/// Why the text is not a template.
pub fn read(text: &str, given: &ParameterValues, target: &Target) -> Result<Template, String> {
    let document = document::read(text)?;
    let root = document.value.as_object().ok_or("expected a template: received no object")?;
    let resources = root.get("Resources").and_then(Value::as_object);
    let resources = resources.ok_or("expected a template: received an object without `Resources`")?;
    let member = |name: &str| root.get(name).unwrap_or(&Value::Null);
    let mut known = Known {
        parameters: parameters(member("Parameters"), given),
        mappings: member("Mappings"),
        conditions: member("Conditions"),
        resources: BTreeMap::new(),
        pseudo: pseudo(target),
        place_is_given: target.is_given,
    };
    // Twice: a name may contain parameters, and a property the name of any resource.
    let names: BTreeMap<String, Names> =
        resources.iter().map(|(id, resource)| (id.clone(), names(id, resource, &known, target))).collect();
    known.resources = names;
    let mut template = Template::default();
    for (id, resource) in resources {
        let line = document.lines.get(id).copied();
        match declared(id, resource, line, &known) {
            Ok(Some(declared)) => template.resources.push(declared),
            Ok(None) => {}
            Err(unread) => template.unread.push(unread),
        }
    }
    // The order of an object's members depends on a feature of the JSON parser.
    template.resources.sort_by_key(|it| (it.line, it.id.clone()));
    template.unread.sort_by_key(|it| (it.line, it.id.clone()));
    companions::join(&mut template.resources);
    Ok(template)
}

/// None for a resource that a condition leaves out.
fn declared(id: &str, resource: &Value, line: Option<u64>, known: &Known<'_>) -> Result<Option<Declared>, Unread> {
    let kind = resource.get("Type").and_then(Value::as_str);
    let unread = |reason: &str| {
        Err(Unread { kind: kind.unwrap_or("*").to_owned(), id: id.to_owned(), line, reason: reason.to_owned() })
    };
    let Some(kind) = kind else {
        return if id.starts_with("Fn::") {
            unread("unknown: a transform makes its resources at deployment")
        } else {
            unread("expected a resource with `Type`")
        };
    };
    if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
        && known.named_condition(condition, 0) == Some(false)
    {
        return Ok(None);
    }
    if kind.starts_with("AWS::Serverless::") || kind.ends_with("::MODULE") {
        return unread("unknown: a transform makes its resources at deployment");
    }
    if kind == "AWS::CloudFormation::Stack" {
        return unread("unknown: its resources are in another template");
    }
    let mut openings = Vec::new();
    let properties = known.resolve(resource.get("Properties").unwrap_or(&Value::Null), &mut openings);
    if !properties.is_object() && !properties.is_null() {
        return unread("expected properties by their names");
    }
    if resource.pointer("/Properties/Fn::Transform").is_some() {
        openings.push(Opening { path: String::new(), gap: Gap::Unknown("Fn::Transform".to_owned()) });
    }
    let names = known.resources.get(id).cloned().unwrap_or_else(|| Names::plain(id));
    Ok(Some(Declared { kind: kind.to_owned(), id: id.to_owned(), line, properties, openings, names }))
}

/// The values of the parameters: the given ones over the defaults. A parameter whose value Systems Manager has is known
/// only at deployment.
fn parameters(declared: &Value, given: &ParameterValues) -> BTreeMap<String, Value> {
    let declared = declared.as_object().into_iter().flatten();
    let value = |(name, parameter): (&String, &Value)| {
        let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or("String");
        if kind.starts_with("AWS::SSM::Parameter::") {
            return None;
        }
        let value = given.get(name).or_else(|| parameter.get("Default"))?;
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let value = match value {
            Value::String(text) if is_list => text.split(',').map(|it| Value::from(it.trim())).collect(),
            other => other.clone(),
        };
        Some((name.clone(), value))
    };
    declared.filter_map(value).collect()
}

fn pseudo(target: &Target) -> BTreeMap<&'static str, Value> {
    let partition = target.region.partition();
    let suffix = if partition.as_str() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    BTreeMap::from([
        ("AWS::Region", json!(target.region)),
        ("AWS::AccountId", json!(target.account)),
        ("AWS::Partition", json!(partition.as_str())),
        ("AWS::URLSuffix", json!(suffix)),
        ("AWS::StackName", json!("stack")),
        ("AWS::StackId", json!("stack")),
    ])
}

/// What `Ref` and `Fn::GetAtt` return: with the name that the template gives, or else with the logical id.
fn names(id: &str, resource: &Value, known: &Known<'_>, target: &Target) -> Names {
    let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
    let property = NAMES.iter().find(|it| it.0 == kind).map_or("", |it| it.1);
    let mut openings = Vec::new();
    let given = resource.pointer(&format!("/Properties/{property}")).map(|it| known.resolve(it, &mut openings));
    let name = given.as_ref().and_then(Value::as_str).filter(|it| openings.is_empty() && !it.is_empty());
    names_of(kind, name.unwrap_or(id), target)
}

/// The names of a resource of this type and name.
pub(super) fn names_of(kind: &str, name: &str, target: &Target) -> Names {
    let (region, account) = (target.region.as_str(), target.account.as_str());
    let partition = target.region.partition();
    let Some((_, _, service, has_region, has_account, prefix)) = NAMES.iter().find(|it| it.0 == kind) else {
        return Names { arn: partition.arn(&service_of(kind), region, account, name), ..Names::plain(name) };
    };
    let part = |is_there: &bool, part| if *is_there { part } else { "" };
    let resource = format!("{prefix}{name}");
    let arn = partition.arn(service, part(has_region, region), part(has_account, account), &resource);
    let reference = match kind {
        _ if BY_ARN.contains(&kind) => arn.clone(),
        "AWS::SQS::Queue" => format!("https://sqs.{region}.amazonaws.com/{account}/{name}"),
        _ => name.to_owned(),
    };
    Names { reference, arn, id: name.to_owned() }
}

/// The middle of a type: `ec2` of `AWS::EC2::Volume`.
fn service_of(kind: &str) -> String {
    kind.split("::").nth(1).unwrap_or("unknown").to_lowercase()
}

/// Reads a file with the values of template parameters: an object of names and values, what `aws cloudformation deploy`
/// takes, or a list of `ParameterKey` and `ParameterValue`.
///
/// # Errors
/// What was expected.
pub fn parameter_values(text: &str) -> Result<ParameterValues, String> {
    const EXPECTED: &str = "expected an object of names and values, or a list of ParameterKey and ParameterValue";
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{EXPECTED}: {error}"))?;
    let values = |members: &Map<String, Value>| members.iter().map(|(name, it)| (name.clone(), it.clone())).collect();
    match &value {
        Value::Object(members) => match members.get("Parameters") {
            Some(Value::Object(inner)) => Ok(values(inner)),
            _ => Ok(values(members)),
        },
        Value::Array(list) => {
            let pair = |it: &Value| {
                let name = it.get("ParameterKey")?.as_str()?.to_owned();
                Some((name, it.get("ParameterValue")?.clone()))
            };
            list.iter().map(|it| pair(it).ok_or_else(|| EXPECTED.to_owned())).collect()
        }
        _ => Err(EXPECTED.to_owned()),
    }
}
