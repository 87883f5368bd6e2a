//! A control's live half with its types erased: what a person's command line calls, with that person's credentials.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use aws_types::SdkConfig;
use rectify_compliance::entry::erase;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Declared, Image, Plan, Region, Remediation, StoredImage, Target, Timestamp, Verdict};
use serde_json::Value;

use crate::Fault;
use crate::clients::Pool;
use crate::edge::{Apply, Connect, ReadLive, Revert};
use crate::ledger::Ledger;
use crate::remediation::managed;
use crate::remediation::undo::{self, UndoRequest, Undone};
use crate::stacks::Stacks;

/// A boxed future, since a table of functions cannot name each one's type.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a live look at one resource shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The subject as read.
    pub subject: StoredImage,
    /// The control's verdict.
    pub verdict: Verdict,
    /// What a remediation would do.
    pub plan: Plan<Value>,
    /// The CloudFormation stack that manages what the plan would change, by name, or why that is not known: then a
    /// remediation does not act either.
    pub stack: Result<Option<String>, String>,
}

/// What can be done about one control with an operator's credentials, whatever its types.
pub trait Operations: Sync {
    /// The control's id.
    fn id(&self) -> &'static str;

    /// Reads, judges and plans; writes nothing. `None` when the resource is gone.
    fn inspect<'a>(
        &'a self,
        config: &'a SdkConfig,
        target: &'a Target,
        parameters: &'a str,
    ) -> Boxed<'a, Result<Option<Inspection>, Fault>>;

    /// Takes an attempt back; the target is the one the attempt names.
    fn undo<'a>(
        &'a self,
        config: &'a SdkConfig,
        ledger: &'a Ledger,
        target: &'a Target,
        request: &'a UndoRequest,
    ) -> Boxed<'a, Result<Undone, Fault>>;
}

/// A control with the clients it calls.
#[derive(Debug)]
pub struct Deployed<K: 'static, C> {
    control: &'static Declared<K>,
    clients: PhantomData<fn() -> C>,
}

impl<K, C> Deployed<K, C> {
    /// `control`, called through clients `C`.
    pub const fn of(control: &'static Declared<K>) -> Self {
        Self { control, clients: PhantomData }
    }
}

impl<K, C> Operations for Deployed<K, C>
where
    K: Remediation + ReadLive<C> + Apply<C> + Revert<C>,
    C: Connect,
{
    fn id(&self) -> &'static str {
        self.control.meta.id
    }

    fn inspect<'a>(
        &'a self,
        config: &'a SdkConfig,
        target: &'a Target,
        parameters: &'a str,
    ) -> Boxed<'a, Result<Option<Inspection>, Fault>> {
        Box::pin(inspect::<K, C>(self.control, config, target, parameters))
    }

    fn undo<'a>(
        &'a self,
        config: &'a SdkConfig,
        ledger: &'a Ledger,
        target: &'a Target,
        request: &'a UndoRequest,
    ) -> Boxed<'a, Result<Undone, Fault>> {
        Box::pin(async move {
            let pool = Pool::<C>::new(config.clone(), region_of(config, target));
            undo::undo(self.control, ledger, &pool, &target.account, request).await
        })
    }
}

async fn inspect<K, C>(
    control: &'static Declared<K>,
    config: &SdkConfig,
    target: &Target,
    parameters: &str,
) -> Result<Option<Inspection>, Fault>
where
    K: Remediation + ReadLive<C>,
    C: Connect,
{
    let RuleParameters { control: params, shell } = RuleParameters::<K::Params>::parse(Some(parameters))?;
    let here = region_of(config, target);
    let home = shell.home_region.clone().unwrap_or_else(|| here.default_home());
    let scope = RuleScope { meta: &control.meta, parameters: &shell, here: &here, home: &home };
    let pool = Pool::<C>::new(config.clone(), here.clone());
    let clients = pool.at(&target.account, &target.account, &target.region).await?;
    let Some(live) = control.logic.live(&clients, target, &params).await? else { return Ok(None) };
    let now = Timestamp::now();
    let (verdict, plan) = match scope.out_of_scope(&target.resource, live.name()) {
        Some(verdict) => (verdict, Plan::Nothing),
        None => (control.logic.evaluate(&live, &params, now), control.logic.plan(&live, &params, now)),
    };
    let stack = managed::stack_of(control, &Stacks::new(config), &live, &plan).await;
    Ok(Some(Inspection {
        subject: StoredImage::of(&live)?,
        verdict,
        plan: erase(plan)?,
        stack: stack.map_err(|fault| fault.to_string()),
    }))
}

fn region_of(config: &SdkConfig, target: &Target) -> Region {
    config.region().map_or_else(|| target.region.clone(), |region| Region::new(region.as_ref()))
}
