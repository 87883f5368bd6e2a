//! The ticket of a finding: what a queue's consumer gets, one version per change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Change, Held, History, Lifecycle, id_of};
use crate::canonical::sorted;
use crate::plan::{Plan, Work, call_text};
use crate::{ControlMeta, Level, Target, Timestamp};

/// The version of the ticket's shape. It changes when a field changes its meaning, and not when one is added.
pub const SCHEMA_VERSION: u32 = 1;
/// The longest text of a step or a reason, characters: SQS limits a message to 256 KiB.
const LONGEST: usize = 1_000;
/// The maximum number of steps.
const MOST_STEPS: usize = 20;
/// The maximum number of changes.
const MOST_CHANGES: usize = 10;

/// A finding, as a ticket describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ticket {
    /// The version of this shape.
    pub schema_version: u32,
    /// The finding's id: the same for this control, account, region and resource forever.
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub id: String,
    /// The version of the finding. A consumer ignores a version that is not higher than the last it handled.
    pub version: u64,
    /// The state.
    pub state: Lifecycle,
    /// The control's id.
    pub control: String,
    /// The violation in a few words.
    pub title: String,
    /// The severity.
    pub severity: TicketSeverity,
    /// The page of the control, relative to the root of the repository.
    pub documentation: String,
    /// The account.
    #[schemars(regex(pattern = r"^[0-9]{12}$"))]
    pub account: String,
    /// The region.
    pub region: String,
    /// The resource's type in AWS Config.
    pub resource_type: String,
    /// The resource's id in AWS Config.
    pub resource_id: String,
    /// When the resource was first NON_COMPLIANT.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub first_found_at: Timestamp,
    /// When AWS Config last recorded that it is.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_found_at: Timestamp,
    /// When it was last resolved; `null` if it never was.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub resolved_at: Option<Timestamp>,
    /// The violation that the control found in the live read; `null` if nothing was read.
    pub finding: Option<String>,
    /// The latest attempt, for `rectify history`; `null` if there was none.
    pub attempt: Option<String>,
    /// Its outcome.
    pub outcome: Option<String>,
    /// The reason for the outcome; it names an exemption's approver and end.
    pub reason: Option<String>,
    /// The plan, as people read it.
    pub plan: Vec<TicketStep>,
    /// The hold on the resource, if there is one.
    pub hold: Option<Held>,
    /// The principal that made the change behind the finding, or `unknown`; `null` before the lookup.
    pub actor: Option<String>,
    /// The changes that can be behind it, newest first.
    pub changes: Vec<Change>,
}

/// A severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TicketSeverity {
    /// Worth knowing.
    Low,
    /// Plan a fix.
    Medium,
    /// Fix it this week.
    High,
    /// Page someone.
    Critical,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketStep {
    /// Its level.
    pub level: Level,
    /// The call with its input, or the instruction to an operator.
    pub text: String,
}

impl TicketStep {
    /// The steps of a plan, the first [`MOST_STEPS`] of them, with bounded texts.
    pub fn of_plan(plan: &Plan<Value>) -> Vec<Self> {
        let steps = plan.steps().iter().take(MOST_STEPS);
        let step = |it: &crate::Step<Value>| Self {
            level: it.level,
            text: match &it.work {
                Work::Api(call) => bounded(&call_text(call)),
                Work::Manual(instruction) => bounded(instruction),
            },
        };
        steps.map(step).collect()
    }
}

/// The text, shortened to [`LONGEST`] characters.
pub(super) fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn bounded_change(it: &Change) -> Change {
    Change { at: it.at, call: bounded(&it.call), actor: bounded(&it.actor), event_id: bounded(&it.event_id) }
}

impl History {
    /// The ticket of the finding that a control has about a resource; `None` if there was never a violation.
    pub fn ticket(&self, control: &ControlMeta, target: &Target, version: u64) -> Option<Ticket> {
        let (attempted, attributed) = (self.attempted(), self.attributed());
        Some(Ticket {
            schema_version: SCHEMA_VERSION,
            id: id_of(control.id, target),
            version,
            state: self.lifecycle()?,
            control: control.id.to_owned(),
            title: control.title.to_owned(),
            severity: control.severity.into(),
            documentation: format!("docs/controls/{}.md", control.id),
            account: target.account.to_string(),
            region: target.region.to_string(),
            resource_type: target.resource.kind.clone(),
            resource_id: target.resource.id.clone(),
            first_found_at: self.first_violated?,
            last_found_at: self.last_violated?,
            resolved_at: self.resolved,
            finding: attempted.and_then(|it| it.annotation.as_deref().map(bounded)),
            attempt: attempted.map(|it| it.id.clone()),
            outcome: attempted.map(|it| it.outcome.clone()),
            reason: attempted.map(|it| bounded(&it.reason)),
            plan: attempted.map(|it| it.plan.clone()).unwrap_or_default(),
            hold: attempted.and_then(|it| it.hold.clone()).map(|it| Held {
                reason: bounded(&it.reason),
                by: bounded(&it.by),
                ..it
            }),
            actor: attributed.map(|it| bounded(&it.actor)),
            changes: attributed
                .into_iter()
                .flat_map(|it| it.changes.iter().take(MOST_CHANGES))
                .map(bounded_change)
                .collect(),
        })
    }
}

impl From<crate::Severity> for TicketSeverity {
    fn from(severity: crate::Severity) -> Self {
        match severity {
            crate::Severity::Low => Self::Low,
            crate::Severity::Medium => Self::Medium,
            crate::Severity::High => Self::High,
            crate::Severity::Critical => Self::Critical,
        }
    }
}

impl Ticket {
    /// The JSON Schema, as text: `docs/schemas/finding.v1.schema.json`.
    pub fn schema() -> String {
        let mut schema = schemars::schema_for!(Self);
        schema.insert("title".to_owned(), format!("A finding of Rectify, version {SCHEMA_VERSION}").into());
        format!("{:#}\n", sorted(schema.to_value()))
    }

    /// The ticket as JSON, of characters that SQS accepts: it refuses U+FFFE and U+FFFF, which JSON need not escape.
    ///
    /// # Errors
    /// [`serde_json::Error`], never for values of this type.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let text = serde_json::to_string(self)?;
        Ok(text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
    }
}
