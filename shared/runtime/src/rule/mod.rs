//! A rule's function: event → subject → verdict → `PutEvaluations`.
//!
//! Everything that can fail fails before or after `evaluate`, and then the invocation fails: no evaluation is made from a
//! guess.

mod change;
mod judge;
mod periodic;
mod round;
mod unread;

use aws_types::SdkConfig;
use rectify_compliance::gate::{self, Route, RuleScope};
use rectify_compliance::{AccountId, Evaluation, Message, Region, ResourceKey, RuleEvent, Verdict};
use serde_json::Value;

use crate::Error;
use crate::clients::{self, Pool};
use crate::config_service::{ConfigService, Sent};
use crate::invocation::Invocation;
use crate::relay::Relay;
use crate::serve::Own;
use crate::settings::{Environment, FunctionSettings};
use judge::{Connected, Judge};

pub use judge::{Rule, on_change, on_change_and_schedule, on_item, on_item_and_schedule, on_schedule};

/// What a rule's function keeps between invocations.
pub struct RuleContext {
    /// The rule.
    pub rule: Rule,
    /// The function's settings.
    pub settings: FunctionSettings,
    /// AWS Config in the function's region.
    pub config: ConfigService,
    /// What goes on with a round that one invocation does not finish.
    pub relay: Relay,
    /// The control's own clients.
    clients: Pool<dyn Connected>,
}

impl RuleContext {
    /// Builds the shell from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when the environment is not what Lambda sets.
    pub fn from_environment(rule: Rule, environment: &Environment) -> Result<Self, Error> {
        let settings = FunctionSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &settings.region)?;
        Ok(Self::over(rule, &sdk, settings))
    }

    /// Builds the shell over a ready SDK configuration.
    pub fn over(rule: Rule, sdk: &SdkConfig, settings: FunctionSettings) -> Self {
        let clients = Pool::new(rule.connect.clone(), sdk.clone(), settings.region.clone());
        Self { config: ConfigService::new(sdk), relay: Relay::new(sdk), clients, settings, rule }
    }
}

/// Handles one event, in an invocation that knows so much of itself.
///
/// # Errors
/// [`Error`]: whatever kept the event from being judged and the evaluations from being stored.
pub async fn handle(shell: &RuleContext, raw: &Value, own: &Own, line: &mut Invocation) -> Result<(), Error> {
    let event = RuleEvent::parse(raw)?;
    if let Some(rule) = &event.rule_name {
        line.note("rule", rule.as_str());
    }
    let parameters = (shell.rule.parameters)(event.parameters.as_deref())?;
    let home = shell.settings.home(parameters.home_region.as_ref());
    let (meta, here) = (shell.rule.meta, &shell.settings.region);
    let scope = RuleScope { meta, parameters: &parameters, here, home: &home };
    let run = Run { shell, raw, event: &event, own, scope };
    match gate::route(&event, &scope)? {
        Route::Answer(resource, verdict) => run.answer(resource, verdict, line).await,
        Route::AnswerAccount(verdict) => run.answer(ResourceKey::account(&run.account()?), verdict, line).await,
        Route::Judge(item) => change::judge(&run, item, line).await,
        Route::Fetch => change::judge_oversized(&run, line).await,
        Route::Periodic => periodic::run(&run, line).await,
    }
}

/// One invocation of a rule: what every step of it needs.
struct Run<'a> {
    shell: &'a RuleContext,
    raw: &'a Value,
    event: &'a RuleEvent,
    own: &'a Own,
    scope: RuleScope<'a>,
}

impl Run<'_> {
    /// The account the event is about: the rule's owner, else the function's own.
    fn account(&self) -> Result<AccountId, Error> {
        let scheduled = match &self.event.message {
            Message::Periodic { account, .. } => account.as_ref(),
            Message::Change { .. } | Message::Oversized { .. } => None,
        };
        scheduled
            .or(self.event.account.as_ref())
            .or(self.own.account.as_ref())
            .cloned()
            .ok_or_else(|| rectify_compliance::ShapeError::missing("accountId", "the account of the rule").into())
    }

    /// The control, with the clients for resources of `account` in `region`.
    async fn judge(&self, account: &AccountId, region: &Region) -> Result<Box<dyn Judge>, Error> {
        let clients = self.shell.clients.at(self.own.account.as_ref().unwrap_or(account), account, region).await?;
        Ok(clients.with(self.event.parameters.as_deref())?)
    }

    /// Sends one verdict with the time of what it was judged from.
    async fn answer(&self, resource: ResourceKey, verdict: Verdict, line: &mut Invocation) -> Result<(), Error> {
        let ordering = match &self.event.message {
            Message::Change { item, .. } => item.captured_at,
            Message::Oversized { summary, .. } => summary.captured_at,
            Message::Periodic { created_at, .. } => *created_at,
        };
        self.send(&[Evaluation { resource, verdict, ordering }], line).await.map(drop)
    }

    /// Sends evaluations and counts by verdict those that AWS Config has.
    async fn send(&self, evaluations: &[Evaluation], line: &mut Invocation) -> Result<Sent, Error> {
        if let [only] = evaluations {
            line.note("resource_type", only.resource.kind.as_str());
            line.note("resource_id", only.resource.id.as_str());
            line.note("verdict", only.verdict.compliance_type());
        }
        let sent = self.shell.config.put_evaluations(&self.event.token, evaluations).await?;
        match sent {
            Sent::Stored => {
                for evaluation in evaluations {
                    line.count("Evaluations", "Verdict", evaluation.verdict.compliance_type(), 1);
                }
            }
            Sent::RuleGone => line.note("rule_gone", true),
        }
        Ok(sent)
    }
}
