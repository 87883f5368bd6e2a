//! The demo's second part: the limits that keep a remediation from acting. Each opens a security group to the internet
//! that the remediation leaves open, for a different reason.

use std::path::Path;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use rectify_compliance::plan::call_text;
use serde::Serialize;
use serde_json::Value;

use super::DemoError;
use super::fixture::{open_ssh, security_group_with};
use super::run::run_rectify;
use crate::engine::ResourceKey;
use crate::world::{ACCOUNT, World};

/// The control under test.
const CONTROL: &str = "restricted-ssh";
/// More groups than the demo's hourly budget allows to fix.
const MAX_GROUPS: usize = 8;

/// One resource that was left alone, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// The name shown in the report.
    pub name: &'static str,
    /// The resource's id.
    pub resource: String,
    /// The outcome last announced for it.
    pub outcome: String,
    /// The reason last announced.
    pub reason: String,
    /// The calls made before that.
    pub calls: Vec<String>,
    /// What differs from the expected; empty if nothing does.
    pub problems: Vec<String>,
}

/// Runs every limit in turn.
pub(super) async fn run(world: &World, rectify: &Path) -> Result<Vec<Limit>, DemoError> {
    Ok(vec![plan_mode(world).await?, exemption(world, rectify).await?, breaker(world).await?, budget(world).await?])
}

/// A tag lowers the mode of one resource, which the demo's parameters allow.
async fn plan_mode(world: &World) -> Result<Limit, DemoError> {
    let name = "plan mode, by tag";
    let tag = Tag::builder().key("rectify:mode").value("plan").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build();
    let group = security_group_with(world.clients(), "tagged", Some(tags)).await.map_err(failed(name, "create"))?;
    open_and_wait(world, name, &group).await?;
    Ok(Limit::of(world, name, &group, "planned", "mode plan by tag rectify:mode"))
}

async fn exemption(world: &World, rectify: &Path) -> Result<Limit, DemoError> {
    let name = "exempt, by an operator";
    let group = security_group_with(world.clients(), "exempt", None).await.map_err(failed(name, "create"))?;
    let until =
        (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let words = ["exempt", CONTROL, &group.resource_id, "--until", &until, "--account", ACCOUNT];
    let why = ["--reason", "vendor appliance", "--approver", "demo", "--ticket", "DEMO-1"];
    let words: Vec<&str> = words.into_iter().chain(why).collect();
    let added = run_rectify(world, rectify, &words).await?;
    open_and_wait(world, name, &group).await?;
    let mut limit = Limit::of(world, name, &group, "exempt", &format!("exempt until {until}: vendor appliance"));
    limit.problems.extend(added.err().map(|why| format!("exempt: {why}")));
    Ok(limit)
}

/// The group is opened again after each fix.
async fn breaker(world: &World) -> Result<Limit, DemoError> {
    let name = "reopened after three fixes";
    let group = security_group_with(world.clients(), "reverted", None).await.map_err(failed(name, "create"))?;
    for _ in 0..4 {
        open_and_wait(world, name, &group).await?;
    }
    Ok(Limit::of(world, name, &group, "breaker-open", "breaker open until "))
}

/// Groups are opened until the hourly budget is used up.
async fn budget(world: &World) -> Result<Limit, DemoError> {
    let name = "over the hourly budget";
    let mut calls = Vec::new();
    let mut last = None;
    for number in 0..MAX_GROUPS {
        let group = security_group_with(world.clients(), &format!("budget-{number}"), None).await;
        let group = group.map_err(failed(name, "create"))?;
        open_and_wait(world, name, &group).await?;
        let limit = Limit::of(world, name, &group, "over-budget", "budget of ");
        let is_over = limit.outcome == "over-budget";
        calls.extend(limit.calls.iter().cloned());
        last = Some(limit);
        if is_over {
            break;
        }
    }
    let limit = last.ok_or_else(|| failed(name, "create")("no group".to_owned()))?;
    Ok(Limit { calls, ..limit })
}

/// Opens a group and waits until rule and remediation have handled it.
async fn open_and_wait(world: &World, name: &'static str, group: &ResourceKey) -> Result<(), DemoError> {
    open_ssh(world.clients(), &group.resource_id).await.map_err(failed(name, "open"))?;
    Ok(world.wait_until_idle().await?)
}

fn failed(scenario: &'static str, step: &'static str) -> impl FnOnce(String) -> DemoError {
    move |why| DemoError::Resource { scenario, step, why }
}

impl Limit {
    /// Reads how the remediation ended for a group from its announcements.
    fn of(world: &World, name: &'static str, group: &ResourceKey, outcome: &str, reason: &str) -> Self {
        let is_about_group = |detail: &Value| {
            detail.get("control").and_then(Value::as_str) == Some(CONTROL)
                && detail.get("resourceId").and_then(Value::as_str) == Some(&group.resource_id)
        };
        let announced: Vec<Value> =
            world.bus().announcements().into_iter().map(|it| it.detail).filter(is_about_group).collect();
        let last = |key: &str| {
            let value = announced.last().and_then(|detail| detail.get(key)).and_then(Value::as_str);
            value.unwrap_or("nothing announced").to_owned()
        };
        let calls =
            announced.iter().filter_map(|detail| detail.get("actions")?.as_array()).flatten().map(call_text).collect();
        let mut limit = Self {
            name,
            resource: group.resource_id.clone(),
            outcome: last("outcome"),
            reason: last("reason"),
            calls,
            problems: Vec::new(),
        };
        if limit.outcome != outcome {
            limit.problems.push(format!("outcome: expected {outcome}: received `{}`", limit.outcome));
        }
        if !limit.reason.starts_with(reason) {
            limit.problems.push(format!("reason: expected `{reason}…`: received `{}`", limit.reason));
        }
        limit
    }
}
