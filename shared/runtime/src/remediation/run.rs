//! One finding on its way through the gates, and the attempts that are made of it.

use std::sync::Arc;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{AccountId, ComplianceChange, IdentifiedState, Plan, StoredState, Target, Timestamp};
use serde_json::Value;

use super::RemediationContext;
use super::decision::Seen;
use super::deployed::Calls;
use crate::Error;
use crate::deadline::Deadline;
use crate::ledger::{self, Attempt, Fence, Registry, ResourcePath, State};
use crate::settings::Mode;
use crate::writer::Writer;

/// What a repeated call must leave of the invocation: its own ten seconds, a live read, and what is written down afterwards.
const ROOM: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);

/// What is left when a live read is given up: to store what is known, and to give the lease back.
const SPARE: std::time::Duration = std::time::Duration::from_secs(10);

/// One finding on its way through the gates.
pub(super) struct RemediationRun<'a> {
    pub(super) id: &'static str,
    pub(super) control: &'static dyn ErasedRemediation,
    pub(super) context: &'a RemediationContext,
    pub(super) scope: RuleScope<'a>,
    pub(super) change: ComplianceChange,
    pub(super) target: Target,
    pub(super) path: ResourcePath,
    /// Clients for reading.
    pub(super) clients: Arc<dyn Calls>,
    /// The account of the function's role.
    pub(super) own: AccountId,
    /// When Lambda ends the invocation.
    pub(super) deadline: Timestamp,
    /// Until when a live read may last, but for [`SPARE`].
    pub(super) reads_until: Deadline,
}

impl RemediationRun<'_> {
    /// The live read; `None` when the resource is gone. One of a whole account may take longer than a function has, and is
    /// given up in time.
    ///
    /// # Errors
    /// [`Error::OutOfTime`], or what the read failed for.
    pub(super) async fn live(&self, parameters: &str) -> Result<Option<IdentifiedState>, Error> {
        let what = || format!("live read of {}", self.target.resource);
        self.reads_until.leaving(SPARE, what, self.clients.live(&self.target, parameters)).await?
    }

    /// The clients for calls that change something.
    pub(super) async fn writer(&self) -> Result<Arc<Writer<dyn Calls>>, Error> {
        self.context.clients.writer(&self.own, &self.target.account, &self.target.region).await
    }

    /// Whether the invocation lasts long enough to repeat a call.
    pub(super) fn has_time(&self) -> bool {
        self.deadline.duration_since(Timestamp::now()) >= ROOM
    }

    /// The mode of a control in the finding's account, before anything is known of the resource.
    pub(super) fn mode(&self, control: &str) -> Mode {
        self.context.settings.mode_in(&self.target.account, control)
    }

    /// What must still be so when an action is made.
    pub(super) fn fence<'b>(&'b self, control: &'b str, registry: &'b Registry) -> Fence<'b> {
        Fence { control, path: &self.path, registry, now: Timestamp::now() }
    }

    /// Why the control is stopped, once a fence has said that it is.
    ///
    /// # Errors
    /// [`Error::Ledger`](crate::Error::Ledger): a switch that cannot be read is not off.
    pub(super) async fn stop_reason(&self, control: &str) -> Result<String, crate::Error> {
        let stop = self.context.ledger.stop_for(control).await?;
        Ok(stop.map_or_else(|| "stopped by a switch that was released at once".to_owned(), |it| it.to_string()))
    }

    /// A new attempt.
    pub(super) fn attempt(&self, plan: Plan<Value>, before: Option<StoredState>) -> Attempt {
        let now = Timestamp::now();
        Attempt {
            id: ledger::new_id(now),
            control: self.id.to_owned(),
            target: self.target.clone(),
            rule: self.change.rule_name.clone(),
            recorded_at: self.change.recorded_at,
            started_at: now,
            finished_at: None,
            state: State::Open,
            mode: self.mode(self.id).name().to_owned(),
            parameters: self.context.settings.parameters.clone(),
            finding: None,
            plan,
            before,
            actions: Vec::new(),
            after: None,
            outcome: None,
            reason: String::new(),
            announced: false,
            undo: None,
            failures: 0,
            terminal: false,
            budgeted: false,
        }
    }

    /// The attempt that was begun and has not acted yet, planned anew, or a new one.
    pub(super) fn attempt_or(&self, begun: Option<Attempt>, seen: Seen) -> Attempt {
        let Seen { live, finding, plan } = seen;
        let before = live.map(|live| live.image);
        let mut attempt = match begun {
            Some(begun) => Attempt { plan, before, ..begun },
            None => self.attempt(plan, before),
        };
        if let Some(finding) = finding {
            attempt.finding = Some(finding.to_string());
        }
        attempt
    }
}
