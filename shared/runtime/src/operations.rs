//! An operator's operations on one control, with the operator's own credentials.

mod inventory;
mod scan;

use aws_types::SdkConfig;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{Declared, IdentifiedState, Plan, Region, ResourceKey, Target, Timestamp, Verdict};
use serde_json::Value;

use crate::Error;
use crate::client::{AccountRegion, Connect, Fix, Found, List};
use crate::config_service::ConfigService;
use crate::ledger::Ledger;
use crate::remediation::managed;
use crate::remediation::prospect::{Deployment, GateState, Prospect};
use crate::remediation::undo::{self, UndoRequest, Undone};
use crate::remediation::{Deployed, Reverts, undoable};
use crate::stacks::Stacks;

use inventory::{Inventory, Lister};

pub use scan::{ALL, Planned, Scanned, Unknown};

/// The live state of one resource, its verdict and its plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The live state.
    pub live: IdentifiedState,
    /// The control's verdict.
    pub verdict: Verdict,
    /// The plan of a remediation.
    pub plan: Plan<Value>,
    /// The name of the CloudFormation stack that manages the plan's resources, or why it is not known: then a
    /// remediation does not act, either.
    pub stack: Result<Option<String>, String>,
}

/// The operations on one control.
pub struct Operations {
    deployed: Deployed<dyn Reverts>,
    list: Lister,
    by_type: Lister,
}

impl Operations {
    /// The operations on `control`, through clients `C`. Its resources are listed by their types.
    pub fn of<K, C>(control: &'static Declared<K>) -> Self
    where
        K: Fix<C>,
        C: Connect,
    {
        let [list, by_type] = [(), ()].map(|()| inventory::by_type::<C>(&control.meta));
        Self { deployed: undoable::<K, C>(control), list, by_type }
    }

    /// The same for a control that lists its resources itself.
    pub fn listed<K, C>(control: &'static Declared<K>) -> Self
    where
        K: Fix<C> + List<C>,
        C: Connect,
    {
        let by_type = inventory::by_type::<C>(&control.meta);
        Self { deployed: undoable::<K, C>(control), list: inventory::by_page::<K, C>(control), by_type }
    }

    /// The control's id.
    pub fn id(&self) -> &'static str {
        self.deployed.meta.id
    }

    /// The resource of the target, whose id may also be its name: several, if they have one name. Lists them by type.
    ///
    /// # Errors
    /// [`Error`] if the type cannot be listed, or the call fails.
    pub async fn find(&self, config: &SdkConfig, target: &Target) -> Result<Vec<Found>, Error> {
        let Target { account, region, resource, .. } = target;
        let place = AccountRegion { account: account.clone(), region: region.clone() };
        let Inventory { resources, gaps } = (self.by_type)(config, &place, "{}", Timestamp::now()).await?;
        let is_it = |it: &Found| {
            it.resource.kind == resource.kind
                && (it.resource.id == resource.id || it.name.as_ref().is_some_and(|name| *name == resource.id))
        };
        let found: Vec<Found> = resources.into_iter().map(|it| it.found).filter(is_it).collect();
        match gaps.into_iter().next() {
            Some((_, Unknown::Unreadable(error))) if found.is_empty() => Err(error),
            Some(_) | None => Ok(found),
        }
    }

    /// Reads, evaluates and plans; changes nothing. `None` when the resource is gone.
    ///
    /// # Errors
    /// [`Error`] of the parameters or the read.
    pub async fn inspect(
        &self,
        config: &SdkConfig,
        target: &Target,
        parameters: &str,
    ) -> Result<Option<Inspection>, Error> {
        let Deployed { meta, control, .. } = &self.deployed;
        let common = control.common_parameters(parameters)?;
        let here = region_of(config, target);
        let home = common.home_region.clone().unwrap_or_else(|| here.default_home_region());
        let scope = RuleScope { meta, parameters: &common, here: &here, home: &home };
        let clients = self.deployed.pool(config, &here).at(&target.account, &target.account, &target.region).await?;
        let Some(live) = clients.live(target, parameters).await? else { return Ok(None) };
        let (verdict, plan) = self.evaluate(scope, &target.resource, &live, parameters, Timestamp::now())?;
        let stack = managed::stack_of(*control, &*clients, &Stacks::new(config), &live, &plan).await;
        let stack = stack.map_err(|error| error.to_string());
        Ok(Some(Inspection { live, verdict, plan, stack }))
    }

    /// All that keeps the plan of an inspected resource from being applied, in the order of the gates. Changes nothing.
    ///
    /// # Errors
    /// [`Error`] of the deployed parameters. Failed reads are in the result.
    pub async fn blockers(
        &self,
        config: &SdkConfig,
        target: &Target,
        inspection: &Inspection,
        deployment: &Deployment,
    ) -> Result<Vec<GateState>, Error> {
        let Deployed { meta, control, .. } = &self.deployed;
        let parameters = deployment.settings.as_ref().map_or("{}", |it| it.parameters.as_str());
        let common = control.common_parameters(parameters)?;
        let here = region_of(config, target);
        let home = common.home_region.as_ref().or(deployment.home.as_ref());
        let home = home.cloned().unwrap_or_else(|| here.default_home_region());
        let Inspection { live, plan, stack, .. } = inspection;
        let prospect = Prospect {
            deployment,
            config: &ConfigService::new(config),
            scope: RuleScope { meta, parameters: &common, here: &here, home: &home },
            target,
            live,
            plan,
            stack,
            now: Timestamp::now(),
        };
        prospect.blockers().await
    }

    /// The verdict and the plan for a resource that was read.
    fn evaluate(
        &self,
        scope: RuleScope<'_>,
        resource: &ResourceKey,
        live: &IdentifiedState,
        parameters: &str,
        now: Timestamp,
    ) -> Result<(Verdict, Plan<Value>), Error> {
        let control = self.deployed.control;
        Ok(match scope.out_of_scope(resource, live.name.as_deref()) {
            Some(verdict) => (verdict, Plan::Noop),
            None => (control.evaluate(&live.image, parameters, now)?, control.plan(&live.image, parameters, now)?),
        })
    }

    /// Undoes an attempt; `target` is the attempt's own.
    ///
    /// # Errors
    /// As for [`undo::undo`].
    pub async fn undo(
        &self,
        config: &SdkConfig,
        ledger: &Ledger,
        target: &Target,
        request: &UndoRequest,
    ) -> Result<Undone, Error> {
        let pool = self.deployed.pool(config, &region_of(config, target));
        undo::undo(&self.deployed, ledger, &pool, &target.account, request).await
    }
}

fn region_of(config: &SdkConfig, target: &Target) -> Region {
    config.region().map_or_else(|| target.region.clone(), |region| Region::new(region.as_ref()))
}
