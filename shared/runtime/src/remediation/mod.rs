//! A remediation's function: the EventBridge event names the resource, the live read gives its state, the plan the
//! calls, and the gates decide whether to make them.
//!
//! [`decision`] defines the order of the gates; no resource is changed before its prior state is stored.

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
pub(crate) mod prospect;
mod resuming;
mod run;
mod sending;
mod settling;
mod stages;
pub mod undo;

use std::process::ExitCode;
use std::sync::Arc;

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
use crate::members::Members;
use crate::settings::{Environment, FunctionSettings, RemediationSettings};
use crate::stacks::Stacks;
use crate::{Error, serve};

pub use blocker::{ACCOUNT_MODES, Blocker, Gate, MODE_TAG};
pub use deployed::{Calls, Deployed, Reverts, deployed, undoable};
pub use gates::Disposition;
pub use prospect::{Deployment, GateState};

/// The context of a remediation's function, kept between invocations.
pub struct RemediationContext {
    /// The control.
    pub deployed: Deployed,
    /// The settings of every function.
    pub function: FunctionSettings,
    /// The settings of a remediation.
    pub settings: RemediationSettings,
    /// The ledger.
    pub ledger: Ledger,
    /// The event bus.
    pub bus: Bus,
    /// AWS Config, for names and resource counts, by the account of the resource.
    pub config: Pool<ConfigService>,
    /// CloudFormation, for resources without a stack tag, by the account of the resource.
    pub stacks: Pool<Stacks>,
    /// The control's own clients.
    pub clients: Pool<dyn Calls>,
}

impl RemediationContext {
    /// Builds the context from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing or malformed: `enforce` without a ledger does not run.
    pub fn from_environment(deployed: Deployed, environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let settings = RemediationSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        let members = Members::read(environment, &sdk, &function.region)?;
        Ok(Self::over(deployed, &sdk, function, settings).reaching(members))
    }

    /// Builds the context from an SDK configuration.
    pub fn over(
        deployed: Deployed,
        sdk: &SdkConfig,
        function: FunctionSettings,
        settings: RemediationSettings,
    ) -> Self {
        Self {
            ledger: Ledger::new(sdk, &settings.ledger_table),
            bus: Bus::new(sdk, &settings.event_bus),
            config: ConfigService::pool(sdk, &function.region),
            stacks: Pool::new(Arc::new(|sdk| Arc::new(Stacks::new(sdk))), sdk.clone(), function.region.clone()),
            clients: deployed.pool(sdk, &function.region),
            deployed,
            function,
            settings,
        }
    }

    /// The context with the member accounts whose findings the function handles too. The ledger and the event bus are
    /// always those of the function's own account.
    #[must_use]
    pub fn reaching(self, members: Option<Members>) -> Self {
        let members = members.map(Arc::new);
        Self {
            config: self.config.reaching(members.clone()),
            stacks: self.stacks.reaching(members.clone()),
            clients: self.clients.reaching(members),
            ..self
        }
    }
}

/// The facts about one invocation that the gates need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The lease owner: unique per invocation, so that a retry never treats an earlier invocation's lease as its own.
    pub owner: String,
    /// The function's account, if its ARN contains it.
    pub account: Option<AccountId>,
    /// When Lambda ends the invocation.
    pub deadline: Timestamp,
    /// The same deadline, for live reads.
    pub reads_until: Deadline,
}

impl Deployed {
    /// Serves its events until Lambda ends the process.
    pub fn serve(self) -> ExitCode {
        let build = |environment: &_| RemediationContext::from_environment(self.clone(), environment);
        serve::run(self.meta.id, build, &async |context, event, own, log| {
            let deadline =
                i64::try_from(own.deadline.epoch_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
            let delivery = Delivery {
                // Lambda reuses the request id when it retries an event, sometimes while the first invocation still
                // runs.
                owner: format!("{}-{}", own.request_id, ledger::new_id(Timestamp::now())),
                account: own.account.clone(),
                deadline: deadline.unwrap_or_else(Timestamp::now),
                reads_until: own.deadline,
            };
            let handled = handle(context, &event, &delivery, log).await?;
            Ok(json!({"outcome": handled.name(), "attempt": handled.attempt()}))
        })
    }
}

/// Handles one event.
///
/// # Errors
/// [`Error`] when the finding could not be handled. Lambda's retry resumes from there.
pub async fn handle(
    context: &RemediationContext,
    event: &Value,
    delivery: &Delivery,
    log: &mut Invocation,
) -> Result<Disposition, Error> {
    let event = EventBridgeEvent::<Value>::deserialize(event)
        .map_err(|error| rectify_compliance::ShapeError::new("event", "an EventBridge event", error))?;
    let handled = gates::handle_event(context, &event, delivery, log).await?;
    log.note("outcome", handled.name());
    if let Some(attempt) = handled.attempt() {
        log.note("attempt", attempt);
    }
    log.count("Remediations", "Outcome", handled.name(), 1);
    if let Disposition::Ignored(why) = handled {
        log.note("why", why);
        log.count("Ignored", "Reason", why, 1);
    }
    Ok(handled)
}
