//! The facts that the gates read about a finding.

use rectify_compliance::{IdentifiedState, Origin, Plan, Target, Timestamp, Verdict};
use serde_json::Value;

use super::managed;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Hold, Registry};
use crate::settings::{Exemptions, RemediationSettings};

/// The facts that the gates read, each when its turn comes. Tests answer from memory.
pub(super) trait Facts {
    /// The control's id.
    fn control(&self) -> &str;

    /// The resource.
    fn target(&self) -> &Target;

    /// When AWS Config recorded the finding.
    fn recorded_at(&self) -> Timestamp;

    /// Whether the reconciler requested it.
    fn is_request(&self) -> bool;

    /// The function's settings.
    fn settings(&self) -> &RemediationSettings;

    /// Why the resource with this name is out of the rule's scope, if it is.
    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict>;

    /// The control's verdict.
    fn evaluate(&self, live: &IdentifiedState, now: Timestamp) -> Result<Verdict, Error>;

    /// The control's plan.
    fn plan(&self, live: &IdentifiedState, now: Timestamp) -> Result<Plan<Value>, Error>;

    /// The stop switch that is on.
    async fn stop(&self) -> Result<Option<String>, Error>;

    /// The exemptions that may apply to the control.
    async fn registry(&self) -> Result<Registry, Error>;

    /// The hold on the resource.
    async fn hold(&self, now: Timestamp) -> Result<Option<Hold>, Error>;

    /// The stack that CloudFormation returns for the resources that the plan would change.
    async fn stack(&self, live: &IdentifiedState, plan: &Plan<Value>) -> Result<Option<String>, Error>;

    /// The open breaker; the attempt `own` does not count.
    async fn breaker(&self, own: Option<&str>, now: Timestamp) -> Result<Option<String>, Error>;
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

    fn is_request(&self) -> bool {
        matches!(self.change.origin, Origin::Request(_))
    }

    fn settings(&self) -> &RemediationSettings {
        &self.context.settings
    }

    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict> {
        self.scope.out_of_scope(&self.target.resource, name)
    }

    fn evaluate(&self, live: &IdentifiedState, now: Timestamp) -> Result<Verdict, Error> {
        Ok(self.control.evaluate(&live.image, &self.context.settings.parameters, now)?)
    }

    fn plan(&self, live: &IdentifiedState, now: Timestamp) -> Result<Plan<Value>, Error> {
        Ok(self.control.plan(&live.image, &self.context.settings.parameters, now)?)
    }

    async fn stop(&self) -> Result<Option<String>, Error> {
        Ok(self.context.ledger.stop_switch_for(self.id).await?.map(|stop| stop.to_string()))
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
        managed::lookup_stack(self.control, &*self.clients, &self.context.stacks, &live.image, plan).await
    }

    async fn breaker(&self, own: Option<&str>, now: Timestamp) -> Result<Option<String>, Error> {
        let open = self.context.ledger.open_breaker(&self.path, self.id, own, now).await?;
        Ok(open.map(|it| it.to_string()))
    }
}
