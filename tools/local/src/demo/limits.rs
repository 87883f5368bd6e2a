//! The second act: what keeps a remediation from acting. One group after the other is opened to the internet and left open,
//! each for another reason.

use std::path::Path;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use rectify_compliance::plan::call_text;
use serde::Serialize;
use serde_json::Value;

use super::DemoError;
use super::fault::{open_ssh, security_group_with};
use super::story::command_line;
use crate::engine::ResourceKey;
use crate::world::World;

/// The control of this act.
const CONTROL: &str = "restricted-ssh";
/// More groups than any budget of the demo lets pass.
const MOST_GROUPS: usize = 8;

/// One thing that was left alone, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Limit {
    /// What people call it.
    pub name: &'static str,
    /// The resource's id.
    pub resource: String,
    /// How the last look at it ended.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The calls that were made before that.
    pub calls: Vec<String>,
    /// What is not as it should be; empty when all is.
    pub problems: Vec<String>,
}

/// Plays the act.
pub(super) async fn play(world: &World, rectify: &Path) -> Result<Vec<Limit>, DemoError> {
    Ok(vec![plan_mode(world).await?, exemption(world, rectify).await?, breaker(world).await?, budget(world).await?])
}

/// The tag lowers the mode of one resource, since the demo allows that.
async fn plan_mode(world: &World) -> Result<Limit, DemoError> {
    let name = "mode plan, by tag";
    let tag = Tag::builder().key("rectify:mode").value("plan").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::SecurityGroup).tags(tag).build();
    let group = security_group_with(world.clients(), "tagged", Some(tags)).await.map_err(failed(name, "make"))?;
    opened(world, name, &group).await?;
    Ok(Limit::of(world, name, &group, "planned", "mode plan by tag rectify:mode"))
}

async fn exemption(world: &World, rectify: &Path) -> Result<Limit, DemoError> {
    let name = "exempt, by a person";
    let group = security_group_with(world.clients(), "exempt", None).await.map_err(failed(name, "make"))?;
    let words = ["exempt", "add", "--control", CONTROL, "--resource", &group.resource_id, "--until", "2099-12-31"];
    let why = ["--reason", "vendor appliance", "--approver", "demo", "--ticket", "DEMO-1", "--account", "*"];
    let words: Vec<&str> = words.into_iter().chain(why).collect();
    let said = command_line(world, rectify, &words).await?;
    opened(world, name, &group).await?;
    let mut limit = Limit::of(world, name, &group, "exempt", "exempt until 2099-12-31T00:00:00Z: vendor appliance");
    limit.problems.extend(said.err().map(|why| format!("exempt add: {why}")));
    Ok(limit)
}

/// Somebody opens the group again and again.
async fn breaker(world: &World) -> Result<Limit, DemoError> {
    let name = "opened again three times";
    let group = security_group_with(world.clients(), "reverted", None).await.map_err(failed(name, "make"))?;
    for _ in 0..4 {
        opened(world, name, &group).await?;
    }
    Ok(Limit::of(world, name, &group, "breaker-open", "breaker open until "))
}

/// Groups are opened until the hour's budget is used up.
async fn budget(world: &World) -> Result<Limit, DemoError> {
    let name = "one more than the hour allows";
    let mut calls = Vec::new();
    let mut last = None;
    for number in 0..MOST_GROUPS {
        let group = security_group_with(world.clients(), &format!("budget-{number}"), None).await;
        let group = group.map_err(failed(name, "make"))?;
        opened(world, name, &group).await?;
        let limit = Limit::of(world, name, &group, "over-budget", "budget of ");
        let is_over = limit.outcome == "over-budget";
        calls.extend(limit.calls.iter().cloned());
        last = Some(limit);
        if is_over {
            break;
        }
    }
    let limit = last.ok_or_else(|| failed(name, "make")("no group".to_owned()))?;
    Ok(Limit { calls, ..limit })
}

/// Opens a group and lets rule and remediation look at it.
async fn opened(world: &World, name: &'static str, group: &ResourceKey) -> Result<(), DemoError> {
    open_ssh(world.clients(), &group.resource_id).await.map_err(failed(name, "open"))?;
    Ok(world.settle().await?)
}

fn failed(scenario: &'static str, step: &'static str) -> impl FnOnce(String) -> DemoError {
    move |why| DemoError::Resource { scenario, step, why }
}

impl Limit {
    /// How the remediation ended with a group, by what it told.
    fn of(world: &World, name: &'static str, group: &ResourceKey, outcome: &str, reason: &str) -> Self {
        let is_ours = |detail: &Value| {
            detail.get("control").and_then(Value::as_str) == Some(CONTROL)
                && detail.get("resourceId").and_then(Value::as_str) == Some(&group.resource_id)
        };
        let told: Vec<Value> = world.bus().announcements().into_iter().map(|it| it.detail).filter(is_ours).collect();
        let last = |key: &str| {
            let value = told.last().and_then(|detail| detail.get(key)).and_then(Value::as_str);
            value.unwrap_or("nothing announced").to_owned()
        };
        let calls =
            told.iter().filter_map(|detail| detail.get("actions")?.as_array()).flatten().map(call_text).collect();
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
