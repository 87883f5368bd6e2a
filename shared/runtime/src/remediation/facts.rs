//! The facts that the gates read about a finding.

use rectify_compliance::{IdentifiedState, Origin, Plan, Target, Timestamp, Verdict};
use serde_json::Value;

use super::managed;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Hold, OpenBreaker, Registry, StopSwitch};
use crate::settings::{Exemptions, RemediationSettings};

/// The facts that the gates read, each when its turn comes. Tests answer from memory.
pub(super) trait Facts {
    /// The control's id.
    fn control(&self) -> &str;

    /// The resource.
    fn target(&self) -> &Target;

    /// When AWS Config recorded the finding.
    fn recorded_at(&self) -> Timestamp;

    /// The function's settings.
    fn settings(&self) -> &RemediationSettings;

    /// Why the resource with this name is out of the rule's scope, if it is.
    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict>;

    /// The stop switches that are on for the control; to decide, the first one is enough.
    async fn stops(&self) -> Result<Vec<StopSwitch>, Error>;

    /// The exemptions that may apply to the control.
    async fn registry(&self) -> Result<Registry, Error>;

    /// The hold on the resource.
    async fn hold(&self, now: Timestamp) -> Result<Option<Hold>, Error>;

    /// The stack that CloudFormation returns for the resources that the plan would change.
    async fn stack(&self, live: &IdentifiedState, plan: &Plan<Value>) -> Result<Option<String>, Error>;

    /// The open breaker; the attempt `own` does not count.
    async fn breaker(&self, own: Option<&str>, now: Timestamp) -> Result<Option<OpenBreaker>, Error>;
}

/// The same for a finding that is to be decided.
pub(super) trait Delivered: Facts {
    /// Whether the reconciler requested it.
    fn is_request(&self) -> bool;

    /// The control's verdict.
    fn evaluate(&self, live: &IdentifiedState, now: Timestamp) -> Result<Verdict, Error>;

    /// The control's plan.
    fn plan(&self, live: &IdentifiedState, now: Timestamp) -> Result<Plan<Value>, Error>;
}

impl Delivered for RemediationRun<'_> {
    fn is_request(&self) -> bool {
        matches!(self.change.origin, Origin::Request(_))
    }

    fn evaluate(&self, live: &IdentifiedState, now: Timestamp) -> Result<Verdict, Error> {
        Ok(self.control.evaluate(&live.image, &self.context.settings.parameters, now)?)
    }

    fn plan(&self, live: &IdentifiedState, now: Timestamp) -> Result<Plan<Value>, Error> {
        Ok(self.control.plan(&live.image, &self.context.settings.parameters, now)?)
    }
}

impl Facts for RemediationRun<'_> {
    fn control(&self) -> &str {
        self.id
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn recorded_at(&self) -> Timestamp {
        self.change.recorded_at
    }

    fn settings(&self) -> &RemediationSettings {
        &self.context.settings
    }

    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict> {
        self.scope.out_of_scope(&self.target.resource, name)
    }

    async fn stops(&self) -> Result<Vec<StopSwitch>, Error> {
        Ok(self.context.ledger.stop_switch_for(self.id).await?.into_iter().collect())
    }

    async fn registry(&self) -> Result<Registry, Error> {
        match self.context.settings.exemptions {
            Exemptions::None => Ok(Registry::default()),
            Exemptions::Ledger => self.context.ledger.registry(self.id).await,
        }
    }

    async fn hold(&self, now: Timestamp) -> Result<Option<Hold>, Error> {
        self.context.ledger.hold_on(&self.path, self.id, now).await
    }

    async fn stack(&self, live: &IdentifiedState, plan: &Plan<Value>) -> Result<Option<String>, Error> {
        managed::lookup_stack(self.control, &*self.clients, &self.stacks, &live.image, plan).await
    }

    async fn breaker(&self, own: Option<&str>, now: Timestamp) -> Result<Option<OpenBreaker>, Error> {
        self.context.ledger.open_breaker(&self.path, self.id, own, now).await
    }
}
