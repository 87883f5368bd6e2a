//! A remediation's function: EventBridge says where to look, the live read says what is true, the plan says what to do, and
//! the gates say whether it may be done.
//!
//! The order of the gates is that of [`gates`]; nothing is written to a resource before its before-image is stored.

mod acting;
mod clearance;
pub mod difference;
mod ending;
mod gates;
pub(crate) mod managed;
mod obstacle;
mod passage;
mod resuming;
mod sending;
mod settling;
mod stages;
pub mod undo;

use std::process::ExitCode;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Declared, Remediation, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bus::Bus;
use crate::clients::{self, Pool};
use crate::config_service::ConfigService;
use crate::deadline::Deadline;
use crate::edge::{Apply, Connect, ReadLive};
use crate::invocation::Invocation;
use crate::ledger::{self, Ledger};
use crate::settings::{Environment, FunctionSettings, RemediationSettings};
use crate::stacks::Stacks;
use crate::{Fault, serve};

pub use gates::Handled;

/// What a remediation's function keeps between invocations.
#[derive(Debug)]
pub struct RemediationShell<C> {
    /// What every function is told.
    pub function: FunctionSettings,
    /// What a remediation is told.
    pub settings: RemediationSettings,
    /// The ledger.
    pub ledger: Ledger,
    /// The event bus.
    pub bus: Bus,
    /// AWS Config, for names.
    pub config: ConfigService,
    /// CloudFormation, for what carries no tag of its stack.
    pub stacks: Stacks,
    /// The control's own clients.
    pub clients: Pool<C>,
}

impl<C: Connect> RemediationShell<C> {
    /// Builds the shell from the environment, before the first event.
    ///
    /// # Errors
    /// [`Fault::Setting`] when a variable is missing or malformed: `enforce` without a ledger does not run.
    pub fn from_environment(environment: &Environment) -> Result<Self, Fault> {
        let function = FunctionSettings::read(environment)?;
        let settings = RemediationSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self::over(&sdk, function, settings))
    }

    /// Builds the shell over a ready SDK configuration.
    pub fn over(sdk: &SdkConfig, function: FunctionSettings, settings: RemediationSettings) -> Self {
        Self {
            ledger: Ledger::new(sdk, &settings.ledger_table),
            bus: Bus::new(sdk, &settings.event_bus),
            config: ConfigService::new(sdk),
            stacks: Stacks::new(sdk),
            clients: Pool::new(sdk.clone(), function.region.clone()),
            function,
            settings,
        }
    }
}

/// One invocation, as the gates need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who works: unique per invocation, so that a retry does not mistake itself for its predecessor.
    pub owner: String,
    /// The function's account, where its ARN told it.
    pub account: Option<AccountId>,
    /// When Lambda ends the invocation.
    pub deadline: Timestamp,
    /// The same, as it bounds live reads.
    pub reads_until: Deadline,
}

/// Serves a control's remediation.
pub fn serve<K, C>(control: &'static Declared<K>) -> ExitCode
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    serve::run(control.meta.id, RemediationShell::<C>::from_environment, &async |shell, event, own, line| {
        let deadline = i64::try_from(own.deadline.epoch_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let delivery = Delivery {
            // Lambda repeats the request id when it repeats an event, at times while the first one still works.
            owner: format!("{}-{}", own.request_id, ledger::new_id(Timestamp::now())),
            account: own.account.clone(),
            deadline: deadline.unwrap_or_else(Timestamp::now),
            reads_until: own.deadline,
        };
        let handled = handle(control, shell, &event, &delivery, line).await?;
        Ok(json!({"outcome": handled.name(), "attempt": handled.attempt()}))
    })
}

/// Handles one event.
///
/// # Errors
/// [`Fault`]: whatever kept the finding from being dealt with. Lambda's retry resumes where this left off.
pub async fn handle<K, C>(
    control: &'static Declared<K>,
    shell: &RemediationShell<C>,
    event: &Value,
    delivery: &Delivery,
    line: &mut Invocation,
) -> Result<Handled, Fault>
where
    K: Remediation + ReadLive<C> + Apply<C>,
    C: Connect,
{
    let event = EventBridgeEvent::<Value>::deserialize(event)
        .map_err(|error| rectify_compliance::ShapeError::new("event", "an EventBridge event", error))?;
    let handled = gates::pass(control, shell, &event, delivery, line).await?;
    line.note("outcome", handled.name());
    if let Some(attempt) = handled.attempt() {
        line.note("attempt", attempt);
    }
    line.count("Remediations", "Outcome", handled.name(), 1);
    if let Handled::Ignored(why) = handled {
        line.note("why", why);
        line.count("Ignored", "Reason", why, 1);
    }
    Ok(handled)
}
