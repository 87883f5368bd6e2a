//! All that keeps a plan from being applied, for an operator: every closed gate, where a remediation stops at the first.

use rectify_compliance::gate::RuleScope;
use rectify_compliance::{IdentifiedState, Plan, Region, Target, Timestamp, Verdict};
use serde_json::Value;

use super::blocker::{Blocker, Considered, Gate, budget_of, closed};
use super::facts::Facts;
use crate::Error;
use crate::config_service::ConfigService;
use crate::ledger::{Hold, Ledger, OpenBreaker, Registry, ResourcePath, StopSwitch};
use crate::settings::{Environment, Exemptions, RemediationSettings};

/// What is known of a deployment.
pub struct Deployment {
    /// The settings of the remediation's function, or why they are not known.
    pub settings: Result<RemediationSettings, String>,
    /// The function's `HOME_REGION`.
    pub home: Option<Region>,
    /// The ledger, or why there is none.
    pub ledger: Result<Ledger, String>,
    /// When AWS Config reported the finding, `None` if it has not, or why that is not known. Only a grace period needs
    /// it.
    pub reported_at: Result<Option<Timestamp>, String>,
}

/// A gate that is closed, or of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateState {
    /// It is closed.
    Closed(Blocker),
    /// Why it is not known whether it is closed.
    Unknown(Gate, String),
}

impl GateState {
    /// The gate.
    pub const fn gate(&self) -> Gate {
        match self {
            Self::Closed(it) => it.gate,
            Self::Unknown(gate, _) => *gate,
        }
    }
}

/// A plan, and the resource and the deployment that it was made for.
pub(crate) struct Prospect<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) config: &'a ConfigService,
    pub(crate) scope: RuleScope<'a>,
    pub(crate) target: &'a Target,
    pub(crate) live: &'a IdentifiedState,
    pub(crate) plan: &'a Plan<Value>,
    /// The stack, by tags or lookup.
    pub(crate) stack: &'a Result<Option<String>, String>,
    pub(crate) now: Timestamp,
}

impl Prospect<'_> {
    /// All closed and unknown gates, in their order.
    ///
    /// # Errors
    /// [`Error::Setting`]: never, with the defaults of this crate.
    pub(crate) async fn blockers(&self) -> Result<Vec<GateState>, Error> {
        let assumed;
        let settings = match &self.deployment.settings {
            Ok(settings) => settings,
            Err(_) => {
                assumed = RemediationSettings::read(&Environment::of([("RULE_NAMES", "*"), ("LEDGER_TABLE", "none")]))?;
                &assumed
            }
        };
        let facts = Outlook { prospect: self, settings };
        let registry = facts.registry().await;
        let mut states = Vec::new();
        for gate in Gate::ORDER {
            if let Some(why) = self.unknown(gate) {
                states.push(GateState::Unknown(gate, why));
                continue;
            }
            let found = match (gate, &registry) {
                (Gate::Exemption, Err(error)) => Err(error.clone()),
                (Gate::Budget, _) => facts.exhausted().await.map(|it| it.into_iter().collect()),
                (_, registry) => {
                    let nothing = Registry::default();
                    let registry = registry.as_ref().unwrap_or(&nothing);
                    let considered = Considered { registry, plan: self.plan, live: self.live };
                    closed(gate, &facts, considered, self.now).await
                }
            };
            match found {
                Ok(blockers) => states.extend(blockers.into_iter().map(GateState::Closed)),
                Err(error) => states.push(GateState::Unknown(gate, error.to_string())),
            }
        }
        Ok(states)
    }

    /// Why this gate cannot be looked at.
    fn unknown(&self, gate: Gate) -> Option<String> {
        let Deployment { settings, ledger, reported_at, .. } = self.deployment;
        let (settings, ledger) = (settings.as_ref(), ledger.as_ref().err().cloned());
        match gate {
            Gate::Stop | Gate::Exemption | Gate::Hold | Gate::Breaker => ledger,
            Gate::Budget => settings.err().cloned().or(ledger),
            Gate::Scope | Gate::ProtectedArn | Gate::Mode => settings.err().cloned(),
            // What no setting allows is known without them.
            Gate::Level => settings.err().filter(|_| self.plan.blocker(true).is_none()).cloned(),
            Gate::Grace => match settings {
                Err(why) => Some(why.clone()),
                Ok(it) if it.grace_minutes.of(self.scope.meta.id).is_some_and(|it| it.get() > 0) => {
                    reported_at.as_ref().err().cloned()
                }
                Ok(_) => None,
            },
            Gate::StackTag => None,
            Gate::StackLookup => self.stack.as_ref().err().cloned(),
        }
    }
}

/// The facts for an operator: as for a remediation, but from what is known of it.
struct Outlook<'a> {
    prospect: &'a Prospect<'a>,
    settings: &'a RemediationSettings,
}

impl Outlook<'_> {
    fn ledger(&self) -> Result<&Ledger, Error> {
        self.prospect.deployment.ledger.as_ref().map_err(|why| Error::Ledger(why.clone()))
    }

    /// The budget, if it is used up.
    async fn exhausted(&self) -> Result<Option<Blocker>, Error> {
        let Prospect { config, scope, target, now, .. } = self.prospect;
        let budget = budget_of(self.settings, config, scope.meta.resource_types).await?;
        let used = self.ledger()?.budget_used(scope.meta.id, target.account.as_str(), *now).await?;
        let reason = || format!("{}, until {}", budget.reason, next_hour(*now));
        Ok((used >= budget.limit).then(|| Blocker::new(Gate::Budget, reason())))
    }
}

/// The start of the next hour, at which a budget is full again.
fn next_hour(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(3600) + 3600).unwrap_or(Timestamp::MAX)
}

impl Facts for Outlook<'_> {
    fn control(&self) -> &str {
        self.prospect.scope.meta.id
    }

    fn target(&self) -> &Target {
        self.prospect.target
    }

    /// A finding that AWS Config has not reported yet is reported now at the earliest.
    fn recorded_at(&self) -> Timestamp {
        let Prospect { deployment, now, .. } = self.prospect;
        deployment.reported_at.as_ref().ok().copied().flatten().unwrap_or(*now)
    }

    fn settings(&self) -> &RemediationSettings {
        self.settings
    }

    fn out_of_scope(&self, name: Option<&str>) -> Option<Verdict> {
        self.prospect.scope.out_of_scope(&self.prospect.target.resource, name)
    }

    async fn stops(&self) -> Result<Vec<StopSwitch>, Error> {
        let mut stops = self.ledger()?.stops().await?;
        stops.retain(|it| ["*", self.control()].contains(&it.scope.as_str()));
        Ok(stops)
    }

    async fn registry(&self) -> Result<Registry, Error> {
        match self.settings.exemptions {
            Exemptions::None => Ok(Registry::default()),
            Exemptions::Ledger => self.ledger()?.registry(self.control()).await,
        }
    }

    async fn hold(&self, now: Timestamp) -> Result<Option<Hold>, Error> {
        self.ledger()?.hold_on(&ResourcePath::of(self.target()), self.control(), now).await
    }

    async fn stack(&self, live: &IdentifiedState, _plan: &Plan<Value>) -> Result<Option<String>, Error> {
        // A stack in the tags is the gate before.
        let by_tag = super::managed::stack(&live.tags).is_some();
        Ok(self.prospect.stack.as_ref().ok().cloned().flatten().filter(|_| !by_tag))
    }

    async fn breaker(&self, own: Option<&str>, now: Timestamp) -> Result<Option<OpenBreaker>, Error> {
        self.ledger()?.open_breaker(&ResourcePath::of(self.target()), self.control(), own, now).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_full_again_at_the_next_full_hour() {
        for (now, next) in [
            ("2026-03-04T05:06:07.89Z", "2026-03-04T06:00:00Z"),
            ("2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"),
            ("2026-03-04T23:59:59Z", "2026-03-05T00:00:00Z"),
        ] {
            assert_eq!(next_hour(now.parse().unwrap()).to_string(), next);
        }
    }
}
