//! What a call asks IAM for: actions, resources and condition keys, read from the request as it is sent.
//!
//! Sources: Service Authorization Reference and the services' own pages on access control, read in November 2026. What has no
//! entry here is asked for on `*`, as IAM does for an action without a resource type; a permission on an ARN does not allow
//! that, so a service that is left out shows itself.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use serde_json::Value;

use super::actions::actions;
use super::policy::Request;
use crate::proxy::{CallName, Pairs};

/// Where a call is made.
#[derive(Debug, Clone)]
pub struct Place {
    /// E.g. `aws`.
    pub partition: String,
    /// The account of caller and resources.
    pub account: String,
    /// The name of each table's partition key, by the table's name.
    pub keys: BTreeMap<String, String>,
}

/// A call with its parameters, whatever the protocol.
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) place: &'a Place,
    region: String,
    path: &'a str,
    json: Value,
    form: Pairs,
}

/// What a call asks for; all of it must be allowed.
#[must_use]
pub fn requests(call: &CallName, head: &Parts, body: &[u8], place: &Place) -> Vec<Request> {
    let form = std::str::from_utf8(body).ok().filter(|_| body.first() != Some(&b'{')).unwrap_or_default();
    let asked = Asked {
        service: &call.service,
        operation: &call.operation,
        place,
        region: region(head),
        path: head.uri.path(),
        json: serde_json::from_slice(body).unwrap_or_default(),
        form: Pairs::parse(form),
    };
    match call.service.as_str() {
        "dynamodb" => dynamodb(&asked),
        "events" if call.operation == "PutEvents" => put_events(&asked),
        "ec2" => ec2(&asked).into_iter().map(|it| it.with("ec2:Region", [asked.region.as_str()])).collect(),
        "s3" => s3(&asked),
        _ => {
            let mut requests = asked.on(super::resources::of(&asked));
            if call.service == "iam" {
                let policy = asked.form("PolicyArn");
                requests = requests.into_iter().map(|it| it.with("iam:PolicyARN", policy.clone())).collect();
            }
            requests.extend(passed_role(&asked));
            requests
        }
    }
}

/// `Credential=<key>/<date>/<region>/…`.
fn region(head: &Parts) -> String {
    let signed = head.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    signed.split('/').nth(2).unwrap_or_default().to_owned()
}

impl Asked<'_> {
    /// The IAM name of the service.
    fn prefix(&self) -> &str {
        match self.service {
            // Signed by the name of their endpoint.
            "monitoring" => "cloudwatch",
            "tagging" => "tag",
            other => other,
        }
    }

    /// The path of the request.
    pub(super) fn path(&self) -> &str {
        self.path
    }

    /// A member of a JSON body, as text.
    pub(super) fn json(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str).filter(|it| !it.is_empty())
    }

    /// The texts of a list in a JSON body.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.json.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// A field of a form.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        self.form.value(name).filter(|it| !it.is_empty())
    }

    /// The fields of a form whose names begin and end so: `ResourceId.1`, `Tag.2.Key`.
    fn fields(&self, begins: &str, ends: &str) -> Vec<String> {
        self.form.values_named(|name| name.starts_with(begins) && name.ends_with(ends))
    }

    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        let Place { partition, account, .. } = self.place;
        format!("arn:{partition}:{service}:{}:{account}:{rest}", self.region)
    }

    /// The call's own actions on each of these resources; on `*` where there is none.
    fn on(&self, resources: Vec<String>) -> Vec<Request> {
        let operation = format!("{}:{}", self.prefix(), self.operation);
        let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
        let actions: Vec<String> = actions(&operation).into_iter().map(str::to_owned).collect();
        let of = |action: &String| resources.iter().map(|it| Request::new(action, it)).collect::<Vec<_>>();
        actions.iter().flat_map(of).collect()
    }
}

/// A transaction is authorized as its members are, each with its own key.
fn dynamodb(asked: &Asked<'_>) -> Vec<Request> {
    if asked.operation != "TransactWriteItems" {
        return vec![one_item(asked, asked.operation, &asked.json)];
    }
    let members = asked.json.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    members
        .filter_map(Value::as_object)
        .flatten()
        .map(|(kind, member)| {
            let action = if kind == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{kind}Item") };
            one_item(asked, &action, member).with("dynamodb:EnclosingOperation", [asked.operation])
        })
        .collect()
}

fn one_item(asked: &Asked<'_>, action: &str, member: &Value) -> Request {
    let table = member.get("TableName").and_then(Value::as_str).unwrap_or_default();
    let table = table.rsplit('/').next().unwrap_or(table);
    let request = Request::new(format!("dynamodb:{action}"), asked.arn("dynamodb", &format!("table/{table}")));
    let Some(key) = asked.place.keys.get(table) else { return request };
    let own = |members: &str| member.get(members).and_then(|it| it.get(key)).cloned();
    // `pk = :pk AND …`: the value stands under the name that the condition gives it.
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
fn put_events(asked: &Asked<'_>) -> Vec<Request> {
    let entries = asked.json.get("Entries").and_then(Value::as_array).into_iter().flatten();
    entries
        .map(|entry| {
            let text = |name: &str| entry.get(name).and_then(Value::as_str);
            let bus = text("EventBusName").unwrap_or("default");
            let bus = bus.rsplit('/').next().unwrap_or(bus);
            Request::new("events:PutEvents", asked.arn("events", &format!("event-bus/{bus}")))
                .with("events:source", text("Source"))
                .with("events:detail-type", text("DetailType"))
        })
        .collect()
}

fn ec2(asked: &Asked<'_>) -> Vec<Request> {
    let of =
        |noun: &str, ids: Vec<String>| ids.into_iter().map(|id| asked.arn("ec2", &format!("{noun}/{id}"))).collect();
    let action = format!("ec2:{}", asked.operation);
    let each = |resources: Vec<String>| resources.into_iter().map(|it| Request::new(&action, it)).collect::<Vec<_>>();
    match asked.operation {
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => {
            let rules = asked.arn("ec2", "security-group-rule/*");
            let mut requests = each(of("security-group", asked.fields("GroupId", "")));
            requests.extend(each(vec![rules.clone()]));
            let tags = asked.fields("TagSpecification.", ".Key");
            if !tags.is_empty() {
                let create = Request::new("ec2:CreateTags", rules).with("aws:TagKeys", tags);
                requests.push(create.with("ec2:CreateAction", [asked.operation]));
            }
            requests
        }
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => {
            each(of("security-group", asked.fields("GroupId", "")))
        }
        "CreateTags" | "DeleteTags" => {
            let tags = asked.fields("Tag.", ".Key");
            let resources = asked.fields("ResourceId.", "").iter().map(|id| asked.arn("ec2", &noun_of(id))).collect();
            each(resources).into_iter().map(|it| it.with("aws:TagKeys", tags.clone())).collect()
        }
        "ModifyInstanceMetadataOptions" => {
            let tokens = asked.form("HttpTokens");
            let requests = each(of("instance", asked.fields("InstanceId", "")));
            requests.into_iter().map(|it| it.with("ec2:Attribute/HttpTokens", tokens.clone())).collect()
        }
        "ModifyNetworkInterfaceAttribute" => {
            let mut resources: Vec<String> = of("network-interface", asked.fields("NetworkInterfaceId", ""));
            resources.extend::<Vec<String>>(of("security-group", asked.fields("SecurityGroupId.", "")));
            each(resources)
        }
        "GetManagedPrefixListEntries" => each(of("prefix-list", asked.fields("PrefixListId", ""))),
        _ => asked.on(Vec::new()),
    }
}

/// A resource's part of its ARN, by what its id begins with.
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

/// Buckets by path. Every bucket here is the account's own.
fn s3(asked: &Asked<'_>) -> Vec<Request> {
    let path = asked.path.trim_matches('/');
    if path.is_empty() {
        return asked.on(Vec::new());
    }
    let requests = asked.on(vec![format!("arn:{}:s3:::{path}", asked.place.partition)]);
    requests.into_iter().map(|it| it.with("aws:ResourceAccount", [asked.place.account.as_str()])).collect()
}

/// A call that hands a role to a service asks for that as well.
fn passed_role(asked: &Asked<'_>) -> Option<Request> {
    let role = asked.json("CloudWatchLogsRoleArn").filter(|_| asked.service == "cloudtrail")?;
    Some(Request::new("iam:PassRole", role).with("iam:PassedToService", ["cloudtrail.amazonaws.com"]))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
