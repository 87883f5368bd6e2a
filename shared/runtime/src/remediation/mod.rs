//! A remediation's function: EventBridge says where to look, the live read says what is true, the plan says what to do, and
//! the gates say whether it may be done.
//!
//! The order of the gates is that of [`gates`]; nothing is written to a resource before its before-image is stored.

mod acting;
mod blocker;
mod clearance;
mod decision;
mod deployed;
pub mod difference;
mod ending;
mod facts;
mod gates;
pub(crate) mod managed;
mod resuming;
mod run;
mod sending;
mod settling;
mod stages;
pub mod undo;

use std::process::ExitCode;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bus::Bus;
use crate::clients::{self, Pool};
use crate::config_service::ConfigService;
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::ledger::{self, Ledger};
use crate::settings::{Environment, FunctionSettings, RemediationSettings};
use crate::stacks::Stacks;
use crate::{Error, serve};

pub use deployed::{Calls, Deployed, Reverts, deployed, undoable};
pub use gates::Disposition;

/// What a remediation's function keeps between invocations.
pub struct RemediationContext {
    /// The control.
    pub deployed: Deployed,
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
    pub clients: Pool<dyn Calls>,
}

impl RemediationContext {
    /// Builds the shell from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing or malformed: `enforce` without a ledger does not run.
    pub fn from_environment(deployed: Deployed, environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let settings = RemediationSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self::over(deployed, &sdk, function, settings))
    }

    /// Builds the shell over a ready SDK configuration.
    pub fn over(
        deployed: Deployed,
        sdk: &SdkConfig,
        function: FunctionSettings,
        settings: RemediationSettings,
    ) -> Self {
        Self {
            ledger: Ledger::new(sdk, &settings.ledger_table),
            bus: Bus::new(sdk, &settings.event_bus),
            config: ConfigService::new(sdk),
            stacks: Stacks::new(sdk),
            clients: deployed.pool(sdk, &function.region),
            deployed,
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

impl Deployed {
    /// Serves its events until Lambda ends the process.
    pub fn serve(self) -> ExitCode {
        let build = |environment: &_| RemediationContext::from_environment(self.clone(), environment);
        serve::run(self.meta.id, build, &async |context, event, own, line| {
            let deadline =
                i64::try_from(own.deadline.epoch_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
            let delivery = Delivery {
                // Lambda repeats the request id when it repeats an event, at times while the first one still works.
                owner: format!("{}-{}", own.request_id, ledger::new_id(Timestamp::now())),
                account: own.account.clone(),
                deadline: deadline.unwrap_or_else(Timestamp::now),
                reads_until: own.deadline,
            };
            let handled = handle(context, &event, &delivery, line).await?;
            Ok(json!({"outcome": handled.name(), "attempt": handled.attempt()}))
        })
    }
}

/// Handles one event.
///
/// # Errors
/// [`Error`]: whatever kept the finding from being dealt with. Lambda's retry resumes where this left off.
pub async fn handle(
    context: &RemediationContext,
    event: &Value,
    delivery: &Delivery,
    line: &mut Invocation,
) -> Result<Disposition, Error> {
    let event = EventBridgeEvent::<Value>::deserialize(event)
        .map_err(|error| rectify_compliance::ShapeError::new("event", "an EventBridge event", error))?;
    let handled = gates::handle_event(context, &event, delivery, line).await?;
    line.note("outcome", handled.name());
    if let Some(attempt) = handled.attempt() {
        line.note("attempt", attempt);
    }
    line.count("Remediations", "Outcome", handled.name(), 1);
    if let Disposition::Ignored(why) = handled {
        line.note("why", why);
        line.count("Ignored", "Reason", why, 1);
    }
    Ok(handled)
}
