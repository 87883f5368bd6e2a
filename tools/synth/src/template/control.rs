//! The resources of one control: its Config rule and, in modes `plan` and `enforce`, its remediation.

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, Frequency, Mode, Permission, Scope, roles};

use super::{member, member_fix, policy, quoted, sorted};
use crate::declaration::declarations;
use crate::fragment::{Unfilled, fill};
use crate::settings::{Selected, Settings};

const RULE: &str = include_str!("rule.yaml");
const RULE_ROLE: &str = include_str!("rule-role.yaml");
const REMEDIATION: &str = include_str!("remediation.yaml");

/// Settings of a rule's function for configuration changes: it handles one item with a few reads and one report. Memory
/// stays at Lambda's minimum.
const ON_CHANGE: &str = "Timeout: 60";
/// Settings of a rule's function that lists every resource of the account: Lambda's maximum timeout, and memory for the
/// CPU share that comes with it. A longer round continues in another invocation, which Lambda would otherwise treat as a
/// recursive loop after 16; the function itself bounds the number of invocations.
const ON_SCHEDULE: &str = "Timeout: 900\nMemorySize: 256\nRecursiveLoop: Allow";

/// The resources of a control; `conditional` if its template is deployed outside the home region too.
///
/// # Errors
/// [`Unfilled`] when a fragment has a placeholder without a value.
pub(super) fn resources(settings: &Settings, selected: &Selected, conditional: bool) -> Result<String, Unfilled> {
    let control = selected.control;
    let name = control.meta.pascal_id();
    let reads = control.rule_permissions();
    let own_role = format!("!GetAtt {name}RuleRole.Arn");
    let only_at_home = conditional && control.meta.scope == Scope::Global;
    let condition = if only_at_home { "Condition: AtHome" } else { "" };
    let parameters = quoted(&selected.parameters);
    let common = [
        ("Control", name.as_str()),
        ("id", control.meta.id),
        ("title", control.meta.title),
        ("condition", condition),
        ("parameters", &parameters),
    ];
    let with = |fragment: &str, values: &[(&str, &str)]| fill(fragment, &[&common[..], values].concat());
    let mut text = with(
        RULE,
        &[
            ("scope", &scope(control)),
            ("triggers", &triggers(control, selected.every)),
            ("role", if shares_role(control) { "!GetAtt RuleRole.Arn" } else { &own_role }),
            ("members", &member::variables(settings)),
            ("size", if selected.every.is_some() { ON_SCHEDULE } else { ON_CHANGE }),
        ],
    )?;
    text.push_str(&member::invoked(settings, &name, condition)?);
    if !shares_role(control) {
        let continuing = if selected.every.is_some() { roles::RULE_CONTINUATION } else { &[] };
        let policies = policy::inline(&[("reads", &reads), ("goes-on", continuing)], &[control.meta.id]);
        text.push_str(&with(RULE_ROLE, &[("policies", &policies)])?);
    }
    if let Some(remediation) = control.remediation.filter(|_| selected.mode >= Mode::Plan) {
        let fixes = if selected.mode == Mode::Enforce { sorted(remediation.fix_permissions()) } else { Vec::new() };
        let lists: [(&str, &[Permission]); 3] =
            [("ledger", roles::REMEDIATION_LEDGER), ("reads", &live(remediation)), ("fixes", &fixes)];
        let reached = member_fix::reached(settings, control.meta.id);
        let policies = policy::inline(&lists, &[control.meta.id]) + &reached.policy;
        let allow_l2 = format!("\"{}\"", selected.allow_l2);
        let values = [
            ("allow-l2", allow_l2.as_str()),
            ("mode", selected.mode.name()),
            ("policies", &policies),
            ("members", &reached.variables),
            ("accounts", &reached.accounts),
            ("own-findings", reached.own_findings),
        ];
        text.push_str(&with(REMEDIATION, &values)?);
    }
    Ok(text)
}

/// The environment variables of a control's remediation whose values follow from `rectify.yaml`, as the template sets them;
/// those with the names of other resources are missing.
pub(super) fn variables(settings: &Settings, selected: &Selected) -> Vec<(&'static str, String)> {
    let block = REMEDIATION.split_once("Variables:").map_or("", |(_, rest)| rest);
    let lines = block.trim_start_matches('\n').lines().take_while(|line| !line.trim().is_empty());
    let variable = |line: &'static str| {
        let (name, value) = line.trim().split_once(": ")?;
        let value = match value {
            "{{allow-l2}}" => selected.allow_l2.to_string(),
            "{{mode}}" => selected.mode.name().to_owned(),
            "{{parameters}}" => selected.parameters.clone(),
            // A value of the stack: `!Ref Name`, or in a condition.
            other => match other.split_once("!Ref ") {
                None => other.to_owned(),
                Some((_, name)) => {
                    let name = name.split(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
                    settings.value(declarations().values().find(|it| it.name == name)?)
                }
            },
        };
        Some((name, value))
    };
    lines.filter_map(variable).collect()
}

/// Whether the rule calls only AWS Config, so that it can use the shared role.
fn shares_role(control: &Entry) -> bool {
    control.rule_permissions().is_empty()
}

/// Permissions of the live read, including those to resolve a resource name from AWS Config's id and to look up a
/// stack.
pub(super) fn live(remediation: &dyn ErasedRemediation) -> Vec<Permission> {
    let mut permissions = remediation.read_permissions().to_vec();
    if remediation.needs_name() {
        permissions.push(Permission::unscoped("config:GetResourceConfigHistory"));
    }
    permissions.extend(remediation.managed_by().permissions());
    sorted(&permissions)
}

pub(super) fn scope(control: &Entry) -> String {
    if !control.meta.on_change() {
        return String::new();
    }
    let types: Vec<String> = control.meta.resource_types.iter().map(|name| format!("\"{name}\"")).collect();
    format!("Scope: {{ ComplianceResourceTypes: [{}] }}", types.join(", "))
}

pub(super) fn triggers(control: &Entry, every: Option<Frequency>) -> String {
    let mut lines = Vec::new();
    if control.meta.on_change() {
        // Without the oversized message type, AWS Config silently drops the changes of large resources.
        for message in ["ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"] {
            lines.push(format!("- {{ EventSource: aws.config, MessageType: {message} }}"));
        }
    }
    if let Some(frequency) = every {
        let frequency = frequency.api_name();
        lines.push(format!(
            "- {{ EventSource: aws.config, MessageType: ScheduledNotification, MaximumExecutionFrequency: {frequency} }}"
        ));
    }
    lines.join("\n")
}
