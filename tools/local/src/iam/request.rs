//! The IAM requests of a call: actions, resources and condition keys, read from the HTTP request.
//!
//! Sources: Service Authorization Reference and the services' own pages on access control, read in November 2026. A
//! call without an entry here requests `*`, as IAM does for an action without a resource type. A permission on an ARN
//! does not allow `*`, so a missing entry shows up as a denied call.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use serde_json::Value;

use super::actions::actions;
use super::policy::Request;
use crate::proxy::{CallName, Pairs};

/// The account that calls are made in.
#[derive(Debug, Clone)]
pub struct Place {
    /// E.g. `aws`.
    pub partition: String,
    /// The account of the caller and the resources.
    pub account: String,
    /// The name of each table's partition key, by the table's name.
    pub keys: BTreeMap<String, String>,
}

/// A call with its parameters, independent of the protocol.
pub(super) struct ApiCall<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) place: &'a Place,
    region: String,
    path: &'a str,
    json: Value,
    form: Pairs,
}

/// The IAM requests of a call; all of them must be allowed.
#[must_use]
pub fn requests(call: &CallName, head: &Parts, body: &[u8], place: &Place) -> Vec<Request> {
    let form = std::str::from_utf8(body).ok().filter(|_| body.first() != Some(&b'{')).unwrap_or_default();
    let api_call = ApiCall {
        service: &call.service,
        operation: &call.operation,
        place,
        region: region(head),
        path: head.uri.path(),
        json: serde_json::from_slice(body).unwrap_or_default(),
        form: Pairs::parse(form),
    };
    match call.service.as_str() {
        "dynamodb" => dynamodb(&api_call),
        "events" if call.operation == "PutEvents" => put_events(&api_call),
        "ec2" => ec2(&api_call).into_iter().map(|it| it.with("ec2:Region", [api_call.region.as_str()])).collect(),
        "s3" => s3(&api_call),
        _ => {
            let mut requests = api_call.on(super::resources::of(&api_call));
            if call.service == "iam" {
                let policy = api_call.form("PolicyArn");
                requests = requests.into_iter().map(|it| it.with("iam:PolicyARN", policy.clone())).collect();
            }
            requests.extend(passed_role(&api_call));
            requests
        }
    }
}

/// `Credential=<key>/<date>/<region>/…`.
fn region(head: &Parts) -> String {
    let signed = head.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    signed.split('/').nth(2).unwrap_or_default().to_owned()
}

impl ApiCall<'_> {
    /// The service prefix of IAM actions.
    fn prefix(&self) -> &str {
        match self.service {
            // These sign with their endpoint's name.
            "monitoring" => "cloudwatch",
            "tagging" => "tag",
            other => other,
        }
    }

    /// The path of the request.
    pub(super) fn path(&self) -> &str {
        self.path
    }

    /// A string member of a JSON body.
    pub(super) fn json(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str).filter(|it| !it.is_empty())
    }

    /// The strings of a list in a JSON body.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.json.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A field of a form.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        self.form.value(name).filter(|it| !it.is_empty())
    }

    /// The form fields whose names have this prefix and suffix: `ResourceId.1`, `Tag.2.Key`.
    fn fields(&self, prefix: &str, suffix: &str) -> Vec<String> {
        self.form.values_named(|name| name.starts_with(prefix) && name.ends_with(suffix))
    }

    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        let Place { partition, account, .. } = self.place;
        format!("arn:{partition}:{service}:{}:{account}:{rest}", self.region)
    }

    /// The call's actions on each of these resources; on `*` if there are none.
    fn on(&self, resources: Vec<String>) -> Vec<Request> {
        let operation = format!("{}:{}", self.prefix(), self.operation);
        let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
        let actions: Vec<String> = actions(&operation).into_iter().map(str::to_owned).collect();
        let of = |action: &String| resources.iter().map(|it| Request::new(action, it)).collect::<Vec<_>>();
        actions.iter().flat_map(of).collect()
    }
}

/// A transaction is authorized item by item, each with its own key.
fn dynamodb(call: &ApiCall<'_>) -> Vec<Request> {
    if call.operation != "TransactWriteItems" {
        return vec![one_item(call, call.operation, &call.json)];
    }
    let members = call.json.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    members
        .filter_map(Value::as_object)
        .flatten()
        .map(|(kind, member)| {
            let action = if kind == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{kind}Item") };
            one_item(call, &action, member).with("dynamodb:EnclosingOperation", [call.operation])
        })
        .collect()
}

fn one_item(call: &ApiCall<'_>, action: &str, member: &Value) -> Request {
    let table = member.get("TableName").and_then(Value::as_str).unwrap_or_default();
    let table = table.rsplit('/').next().unwrap_or(table);
    let request = Request::new(format!("dynamodb:{action}"), call.arn("dynamodb", &format!("table/{table}")));
    let Some(key) = call.place.keys.get(table) else { return request };
    let own = |members: &str| member.get(members).and_then(|it| it.get(key)).cloned();
    // `pk = :pk AND …`: the placeholder names the value.
    let named = || {
        let condition = member.get("KeyConditionExpression")?.as_str()?;
        let (_, after) = condition.split_once(&format!("{key} = "))?;
        let name = after.split([' ', ')']).next()?;
        member.get("ExpressionAttributeValues")?.get(name).cloned()
    };
    let value = own("Key").or_else(|| own("Item")).or_else(named);
    let text = value.and_then(|it| it.get("S").and_then(Value::as_str).map(str::to_owned));
    request.with("dynamodb:LeadingKeys", text)
}

/// Each event is authorized with its own source and type.
fn put_events(call: &ApiCall<'_>) -> Vec<Request> {
    let entries = call.json.get("Entries").and_then(Value::as_array).into_iter().flatten();
    entries
        .map(|entry| {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            let bus = text("EventBusName").unwrap_or("default");
            let bus = bus.rsplit('/').next().unwrap_or(bus);
            Request::new("events:PutEvents", call.arn("events", &format!("event-bus/{bus}")))
                .with("events:source", text("Source"))
                .with("events:detail-type", text("DetailType"))
        })
        .collect()
}

fn ec2(call: &ApiCall<'_>) -> Vec<Request> {
    let of =
        |noun: &str, ids: Vec<String>| ids.into_iter().map(|id| call.arn("ec2", &format!("{noun}/{id}"))).collect();
    let action = format!("ec2:{}", call.operation);
    let each = |resources: Vec<String>| resources.into_iter().map(|it| Request::new(&action, it)).collect::<Vec<_>>();
    match call.operation {
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => {
            let rules = call.arn("ec2", "security-group-rule/*");
            let mut requests = each(of("security-group", call.fields("GroupId", "")));
            requests.extend(each(vec![rules.clone()]));
            let tags = call.fields("TagSpecification.", ".Key");
            if !tags.is_empty() {
                let create = Request::new("ec2:CreateTags", rules).with("aws:TagKeys", tags);
                requests.push(create.with("ec2:CreateAction", [call.operation]));
            }
            requests
        }
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
            each(of("security-group", call.fields("GroupId", "")))
        }
        "CreateTags" | "DeleteTags" => {
            let tags = call.fields("Tag.", ".Key");
            let resources = call.fields("ResourceId.", "").iter().map(|id| call.arn("ec2", &noun_of(id))).collect();
            each(resources).into_iter().map(|it| it.with("aws:TagKeys", tags.clone())).collect()
        }
        "ModifyInstanceMetadataOptions" => {
            let tokens = call.form("HttpTokens");
            let requests = each(of("instance", call.fields("InstanceId", "")));
            requests.into_iter().map(|it| it.with("ec2:Attribute/HttpTokens", tokens.clone())).collect()
        }
        "ModifyNetworkInterfaceAttribute" => {
            let mut resources: Vec<String> = of("network-interface", call.fields("NetworkInterfaceId", ""));
            resources.extend::<Vec<String>>(of("security-group", call.fields("SecurityGroupId.", "")));
            each(resources)
        }
        "CreateFlowLogs" | "DeleteFlowLogs" => {
            let (mut logs, vpcs) = (call.fields("FlowLogId.", ""), call.fields("ResourceId.", ""));
            if call.operation == "CreateFlowLogs" {
                logs.push("*".to_owned());
            }
            let mut requests = each(of("vpc", vpcs));
            requests.extend(each(of("vpc-flow-log", logs)));
            let deliveries = actions(&action).into_iter().filter(|it| it.starts_with("logs:"));
            requests.extend(deliveries.map(|it| Request::new(it, "*")));
            requests
        }
        "ModifySnapshotAttribute" => {
            // The ARN of a snapshot has no account.
            let arn = |id: &String| format!("arn:{}:ec2:{}::snapshot/{id}", call.place.partition, call.region);
            let key = if call.form("OperationType").as_deref() == Some("remove") { "Remove" } else { "Add" };
            let groups = call.fields("UserGroup.", "");
            let requests = each(call.fields("SnapshotId", "").iter().map(arn).collect());
            requests.into_iter().map(|it| it.with(&format!("ec2:{key}/group"), groups.clone())).collect()
        }
        "CreateNetworkAclEntry" | "DeleteNetworkAclEntry" => each(of("network-acl", call.fields("NetworkAclId", ""))),
        "ModifySubnetAttribute" => each(of("subnet", call.fields("SubnetId", ""))),
        "GetManagedPrefixListEntries" => each(of("prefix-list", call.fields("PrefixListId", ""))),
        _ => call.on(Vec::new()),
    }
}

/// The resource part of an ARN, from the prefix of the id.
fn noun_of(id: &str) -> String {
    const NOUNS: [(&str, &str); 13] = [
        ("acl-", "network-acl"),
        ("cgw-", "customer-gateway"),
        ("eni-", "network-interface"),
        ("i-", "instance"),
        ("igw-", "internet-gateway"),
        ("rtb-", "route-table"),
        ("sg-", "security-group"),
        ("sgr-", "security-group-rule"),
        ("subnet-", "subnet"),
        ("vgw-", "vpn-gateway"),
        ("vol-", "volume"),
        ("vpc-", "vpc"),
        ("vpn-", "vpn-connection"),
    ];
    let noun = NOUNS.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("unknown", |(_, noun)| noun);
    format!("{noun}/{id}")
}

/// Buckets and objects, from the path. Every bucket here belongs to the account.
fn s3(call: &ApiCall<'_>) -> Vec<Request> {
    let path = call.path.trim_matches('/');
    if path.is_empty() {
        return call.on(Vec::new());
    }
    let requests = call.on(vec![format!("arn:{}:s3:::{path}", call.place.partition)]);
    requests.into_iter().map(|it| it.with("aws:ResourceAccount", [call.place.account.as_str()])).collect()
}

/// A call that passes a role to a service also needs `iam:PassRole`.
fn passed_role(call: &ApiCall<'_>) -> Option<Request> {
    let role = call.json("CloudWatchLogsRoleArn").filter(|_| call.service == "cloudtrail")?;
    Some(Request::new("iam:PassRole", role).with("iam:PassedToService", ["cloudtrail.amazonaws.com"]))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
