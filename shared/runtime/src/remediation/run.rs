//! One run of a remediation: a finding, and the attempts it leads to.

use std::sync::Arc;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{AccountId, ComplianceChange, IdentifiedState, Plan, StoredState, Target, Timestamp};
use serde_json::Value;

use super::RemediationContext;
use super::decision::Seen;
use super::deployed::Calls;
use crate::Error;
use crate::config_service::ConfigService;
use crate::deadline::Deadline;
use crate::ledger::{self, Attempt, Fence, Registry, ResourcePath, State};
use crate::settings::Mode;
use crate::stacks::Stacks;
use crate::writer::Writer;

/// The time that must be left for a retried call: its own ten seconds, a live read, and the writes to the ledger.
const RETRY_TIME: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);

/// The time that is left when a live read is canceled: to store the attempt and release the lease.
const SPARE: std::time::Duration = std::time::Duration::from_secs(10);

/// One finding, taken through the gates.
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
    /// AWS Config of the resource's account.
    pub(super) config: Arc<ConfigService>,
    /// CloudFormation of the resource's account.
    pub(super) stacks: Arc<Stacks>,
    /// The account of the function's role.
    pub(super) own: AccountId,
    /// When Lambda ends the invocation.
    pub(super) deadline: Timestamp,
    /// When a live read must end, minus [`SPARE`].
    pub(super) reads_until: Deadline,
}

impl RemediationRun<'_> {
    /// The live read; `None` when the resource is gone. A read of a whole account may take longer than the invocation,
    /// and is canceled in time.
    ///
    /// # Errors
    /// [`Error::OutOfTime`], or the read's own error.
    pub(super) async fn live(&self, parameters: &str) -> Result<Option<IdentifiedState>, Error> {
        let what = || format!("live read of {}", self.target.resource);
        self.reads_until.leaving(SPARE, what, self.clients.live(&self.target, parameters)).await?
    }

    /// The clients for calls that change resources.
    pub(super) async fn writer(&self) -> Result<Arc<Writer<dyn Calls>>, Error> {
        self.context.clients.writer(&self.own, &self.target.account, &self.target.region).await
    }

    /// Whether there is enough time left to retry a call.
    pub(super) fn has_time(&self) -> bool {
        self.deadline.duration_since(Timestamp::now()) >= RETRY_TIME
    }

    /// The mode of a control in the finding's account, without the resource's own tag.
    pub(super) fn mode(&self, control: &str) -> Mode {
        self.context.settings.mode_in(&self.target.account, control)
    }

    /// The conditions that must hold when an action is made.
    pub(super) fn fence<'b>(&'b self, control: &'b str, registry: &'b Registry) -> Fence<'b> {
        Fence { control, path: &self.path, registry, now: Timestamp::now() }
    }

    /// Why the control is stopped, after a fence found that it is.
    ///
    /// # Errors
    /// [`Error::Ledger`](crate::Error::Ledger): a switch that cannot be read is not off.
    pub(super) async fn stop_reason(&self, control: &str) -> Result<String, crate::Error> {
        let stop = self.context.ledger.stop_switch_for(control).await?;
        Ok(stop.map_or_else(|| "stopped by a switch that has been released since".to_owned(), |it| it.to_string()))
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

    /// The attempt in progress that has not acted yet, with the new plan, or a new attempt.
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
