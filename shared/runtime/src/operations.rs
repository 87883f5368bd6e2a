//! What an operator does about one control, with credentials of their own.

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

/// What a live look at one resource shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The subject as read.
    pub subject: StoredState,
    /// The control's verdict.
    pub verdict: Verdict,
    /// What a remediation would do.
    pub plan: Plan<Value>,
    /// The CloudFormation stack that manages what the plan would change, by name, or why that is not known: then a
    /// remediation does not act either.
    pub stack: Result<Option<String>, String>,
}

/// What can be done about one control.
pub struct Operations(Deployed<dyn Reverts>);

impl Operations {
    /// What can be done about `control`, through clients `C`.
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

    /// Reads, judges and plans; writes nothing. `None` when the resource is gone.
    ///
    /// # Errors
    /// [`Error`]: the parameters, or what the read failed for.
    pub async fn inspect(
        &self,
        config: &SdkConfig,
        target: &Target,
        parameters: &str,
    ) -> Result<Option<Inspection>, Error> {
        let Deployed { meta, control, .. } = &self.0;
        let shell = control.shell_parameters(parameters)?;
        let here = region_of(config, target);
        let home = shell.home_region.clone().unwrap_or_else(|| here.default_home());
        let scope = RuleScope { meta, parameters: &shell, here: &here, home: &home };
        let clients = self.0.pool(config, &here).at(&target.account, &target.account, &target.region).await?;
        let Some(live) = clients.live(target, parameters).await? else { return Ok(None) };
        let now = Timestamp::now();
        let (verdict, plan) = match scope.out_of_scope(&target.resource, live.name.as_deref()) {
            Some(verdict) => (verdict, Plan::Noop),
            None => (control.evaluate(&live.image, parameters, now)?, control.plan(&live.image, parameters, now)?),
        };
        let stack = managed::stack_of(*control, &*clients, &Stacks::new(config), &live, &plan).await;
        let stack = stack.map_err(|fault| fault.to_string());
        Ok(Some(Inspection { subject: live.image, verdict, plan, stack }))
    }

    /// Takes an attempt back; the target is the one the attempt names.
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
