//! An operator's operations on one control, with the operator's own credentials.

use aws_types::SdkConfig;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::{Declared, Plan, Region, StoredState, Target, Timestamp, Verdict};
use serde_json::Value;

use crate::Error;
use crate::client::{Connect, Fix};
use crate::ledger::Ledger;
use crate::remediation::managed;
use crate::remediation::undo::{self, UndoRequest, Undone};
use crate::remediation::{Deployed, Reverts, undoable};
use crate::stacks::Stacks;

/// The live state of one resource, its verdict and its plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The live state.
    pub subject: StoredState,
    /// The control's verdict.
    pub verdict: Verdict,
    /// The plan of a remediation.
    pub plan: Plan<Value>,
    /// The name of the CloudFormation stack that manages the plan's resources, or why it is not known: then a
    /// remediation does not act, either.
    pub stack: Result<Option<String>, String>,
}

/// The operations on one control.
pub struct Operations(Deployed<dyn Reverts>);

impl Operations {
    /// The operations on `control`, through clients `C`.
    pub fn of<K, C>(control: &'static Declared<K>) -> Self
    where
        K: Fix<C>,
        C: Connect,
    {
        Self(undoable::<K, C>(control))
    }

    /// The control's id.
    pub fn id(&self) -> &'static str {
        self.0.meta.id
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
        let Deployed { meta, control, .. } = &self.0;
        let common = control.common_parameters(parameters)?;
        let here = region_of(config, target);
        let home = common.home_region.clone().unwrap_or_else(|| here.default_home_region());
        let scope = RuleScope { meta, parameters: &common, here: &here, home: &home };
        let clients = self.0.pool(config, &here).at(&target.account, &target.account, &target.region).await?;
        let Some(live) = clients.live(target, parameters).await? else { return Ok(None) };
        let now = Timestamp::now();
        let (verdict, plan) = match scope.out_of_scope(&target.resource, live.name.as_deref()) {
            Some(verdict) => (verdict, Plan::Noop),
            None => (control.evaluate(&live.image, parameters, now)?, control.plan(&live.image, parameters, now)?),
        };
        let stack = managed::stack_of(*control, &*clients, &Stacks::new(config), &live, &plan).await;
        let stack = stack.map_err(|error| error.to_string());
        Ok(Some(Inspection { subject: live.image, verdict, plan, stack }))
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
        let pool = self.0.pool(config, &region_of(config, target));
        undo::undo(&self.0, ledger, &pool, &target.account, request).await
    }
}

fn region_of(config: &SdkConfig, target: &Target) -> Region {
    config.region().map_or_else(|| target.region.clone(), |region| Region::new(region.as_ref()))
}
