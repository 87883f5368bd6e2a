//! A rule's function: event → subject → verdict → `PutEvaluations`.
//!
//! `evaluate` itself cannot fail. Any failure before or after it fails the invocation: no evaluation is based on a
//! guess.

mod change;
mod judge;
mod periodic;
mod round;
mod unread;

use std::sync::Arc;

use aws_types::SdkConfig;
use rectify_compliance::gate::{self, Route, RuleScope};
use rectify_compliance::{AccountId, Evaluation, Message, Region, ResourceKey, RuleEvent, Verdict};
use serde_json::Value;

use crate::Error;
use crate::clients::{self, Pool};
use crate::config_service::{ConfigService, Sent};
use crate::invocation::Invocation;
use crate::members::Members;
use crate::relay::Relay;
use crate::serve::InvocationInfo;
use crate::settings::{Environment, FunctionSettings};
use judge::{Connected, Judge};

pub use judge::{Rule, on_change, on_change_and_schedule, on_item, on_item_and_schedule, on_schedule};

/// The context of a rule's function, kept between invocations.
pub struct RuleContext {
    /// The rule.
    pub rule: Rule,
    /// The function's settings.
    pub settings: FunctionSettings,
    /// AWS Config in the function's region, by the account of the rule.
    config: Pool<ConfigService>,
    /// Continues a round that one invocation does not finish.
    pub relay: Relay,
    /// The control's own clients.
    clients: Pool<dyn Connected>,
}

impl RuleContext {
    /// Builds the context from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when the environment is not what Lambda sets.
    pub fn from_environment(rule: Rule, environment: &Environment) -> Result<Self, Error> {
        let settings = FunctionSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &settings.region)?;
        let members = Members::read(environment, &sdk, &settings.region)?;
        Ok(Self::over(rule, &sdk, settings).reaching(members))
    }

    /// Builds the context from an SDK configuration.
    pub fn over(rule: Rule, sdk: &SdkConfig, settings: FunctionSettings) -> Self {
        let clients = Pool::new(rule.connect.clone(), sdk.clone(), settings.region.clone());
        let config = ConfigService::pool(sdk, &settings.region);
        Self { config, relay: Relay::new(sdk), clients, settings, rule }
    }

    /// The context with the member accounts whose events the function handles too.
    #[must_use]
    pub fn reaching(self, members: Option<Members>) -> Self {
        let members = members.map(Arc::new);
        Self { config: self.config.reaching(members.clone()), clients: self.clients.reaching(members), ..self }
    }
}

/// Handles one event in the invocation `own`.
///
/// # Errors
/// [`Error`] when the event could not be evaluated or the evaluations could not be stored.
pub async fn handle(
    context: &RuleContext,
    raw: &Value,
    own: &InvocationInfo,
    log: &mut Invocation,
) -> Result<(), Error> {
    let event = RuleEvent::parse(raw)?;
    if let Some(rule) = &event.rule_name {
        log.note("rule", rule.as_str());
    }
    let parameters = (context.rule.parameters)(event.parameters.as_deref())?;
    let home = context.settings.home(parameters.home_region.as_ref());
    let (meta, here) = (context.rule.meta, &context.settings.region);
    let scope = RuleScope { meta, parameters: &parameters, here, home: &home };
    let run = Run { context, raw, event: &event, own, scope };
    match gate::route(&event, &scope)? {
        Route::Answer(resource, verdict) => run.answer(resource, verdict, log).await,
        Route::AnswerAccount(verdict) => run.answer(ResourceKey::account(&run.account()?), verdict, log).await,
        Route::Judge(item) => change::judge(&run, item, log).await,
        Route::Fetch => change::judge_oversized(&run, log).await,
        Route::Periodic => periodic::run(&run, log).await,
    }
}

/// One invocation of a rule, as its steps need it.
struct Run<'a> {
    context: &'a RuleContext,
    raw: &'a Value,
    event: &'a RuleEvent,
    own: &'a InvocationInfo,
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

    /// AWS Config with credentials of the account of the rule: only those may use the event's token.
    async fn config(&self) -> Result<Arc<ConfigService>, Error> {
        let account = self.event.account.clone().map_or_else(|| self.account(), Ok)?;
        let own = self.own.account.as_ref().unwrap_or(&account);
        self.context.config.at(own, &account, self.scope.here).await
    }

    /// The control, with the clients for resources of `account` in `region`.
    async fn judge(&self, account: &AccountId, region: &Region) -> Result<Box<dyn Judge>, Error> {
        // A verdict about one account is never sent for the rule of another.
        if let Some(owner) = self.event.account.as_ref().filter(|it| *it != account) {
            return Err(Error::ForeignAccount { home: owner.to_string(), account: account.to_string() });
        }
        let clients = self.context.clients.at(self.own.account.as_ref().unwrap_or(account), account, region).await?;
        Ok(clients.with(self.event.parameters.as_deref())?)
    }

    /// Sends one verdict with the time of the item or event it is based on.
    async fn answer(&self, resource: ResourceKey, verdict: Verdict, log: &mut Invocation) -> Result<(), Error> {
        let ordering = match &self.event.message {
            Message::Change { item, .. } => item.captured_at,
            Message::Oversized { summary, .. } => summary.captured_at,
            Message::Periodic { created_at, .. } => *created_at,
        };
        self.send(&[Evaluation { resource, verdict, ordering }], log).await.map(drop)
    }

    /// Sends evaluations, and counts those that AWS Config stored by verdict.
    async fn send(&self, evaluations: &[Evaluation], log: &mut Invocation) -> Result<Sent, Error> {
        if let [only] = evaluations {
            log.note("resource_type", only.resource.kind.as_str());
            log.note("resource_id", only.resource.id.as_str());
            log.note("verdict", only.verdict.compliance_type());
        }
        let sent = self.config().await?.put_evaluations(&self.event.token, evaluations).await?;
        match sent {
            Sent::Stored => {
                for evaluation in evaluations {
                    log.count("Evaluations", "Verdict", evaluation.verdict.compliance_type(), 1);
                }
            }
            Sent::RuleGone => log.note("rule_gone", true),
        }
        Ok(sent)
    }
}
