//! A rule's function: event → subject → verdict → `PutEvaluations`.
//!
//! Everything that can fail fails before or after `evaluate`, and then the invocation fails: no evaluation is made from a
//! guess.

mod change;
mod kind;
mod periodic;
mod round;
mod unread;

use std::process::ExitCode;

use aws_types::SdkConfig;
use rectify_compliance::gate::{self, Route, RuleScope};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{
    AccountId, Control, Declared, Evaluation, FromItem, Inventory, Message, Region, ResourceKey, RuleEvent, Verdict,
};
use serde_json::Value;

use crate::Fault;
use crate::clients::{self, Pool};
use crate::config_service::{ConfigService, Sent};
use crate::edge::{Connect, List, ReadFacts};
use crate::invocation::Invocation;
use crate::relay::Relay;
use crate::serve::{self, Own};
use crate::settings::{Environment, FunctionSettings};

pub use kind::{ChangeOnly, ChangeOrSchedule, RuleKind, ScheduleOnly};

/// What a rule's function keeps between invocations.
#[derive(Debug)]
pub struct RuleShell<C> {
    /// The function's settings.
    pub settings: FunctionSettings,
    /// AWS Config in the function's region.
    pub config: ConfigService,
    /// What goes on with a round that one invocation does not finish.
    pub relay: Relay,
    /// The control's own clients.
    pub clients: Pool<C>,
}

impl<C: Connect> RuleShell<C> {
    /// Builds the shell from the environment, before the first event.
    ///
    /// # Errors
    /// [`Fault::Setting`] when the environment is not what Lambda sets.
    pub fn from_environment(environment: &Environment) -> Result<Self, Fault> {
        let settings = FunctionSettings::read(environment)?;
        let sdk = clients::sdk_config(environment, &settings.region)?;
        Ok(Self::over(&sdk, settings))
    }

    /// Builds the shell over a ready SDK configuration.
    pub fn over(sdk: &SdkConfig, settings: FunctionSettings) -> Self {
        let clients = Pool::new(sdk.clone(), settings.region.clone());
        Self { config: ConfigService::new(sdk), relay: Relay::new(sdk), clients, settings }
    }
}

/// Serves a control that judges changes.
pub fn on_change<K, C>(control: &'static Declared<K>) -> ExitCode
where
    K: FromItem + ReadFacts<C>,
    C: Connect,
{
    serve_rule::<_, C>(&ChangeOnly(control))
}

/// Serves a control that judges on a schedule.
pub fn on_schedule<K, C>(control: &'static Declared<K>) -> ExitCode
where
    K: Inventory + List<C>,
    C: Connect,
{
    serve_rule::<_, C>(&ScheduleOnly(control))
}

/// Serves a control that does both.
pub fn on_change_and_schedule<K, C>(control: &'static Declared<K>) -> ExitCode
where
    K: FromItem + ReadFacts<C> + Inventory + List<C>,
    C: Connect,
{
    serve_rule::<_, C>(&ChangeOrSchedule(control))
}

fn serve_rule<R: RuleKind<C>, C: Connect>(rule: &R) -> ExitCode {
    serve::run(rule.control().meta.id, RuleShell::<C>::from_environment, &async |shell, event, own, line| {
        handle(rule, shell, &event, own, line).await.map(|()| Value::Null)
    })
}

/// Handles one event, in an invocation that knows so much of itself.
///
/// # Errors
/// [`Fault`]: whatever kept the event from being judged and the evaluations from being stored.
pub async fn handle<R, C>(
    rule: &R,
    shell: &RuleShell<C>,
    raw: &Value,
    own: &Own,
    line: &mut Invocation,
) -> Result<(), Fault>
where
    R: RuleKind<C>,
    C: Connect,
{
    let event = RuleEvent::parse(raw)?;
    if let Some(rule) = &event.rule_name {
        line.note("rule", rule.as_str());
    }
    let params = RuleParameters::<<R::Control as Control>::Params>::parse(event.parameters.as_deref())?;
    let home = shell.settings.home(params.shell.home_region.as_ref());
    let meta = &rule.control().meta;
    let scope = RuleScope { meta, parameters: &params.shell, here: &shell.settings.region, home: &home };
    let run = Run { shell, raw, event: &event, own, params: &params, scope };
    match gate::route(&event, &scope)? {
        Route::Answer(resource, verdict) => run.answer(resource, verdict, line).await,
        Route::AnswerAccount(verdict) => run.answer(ResourceKey::account(&run.account()?), verdict, line).await,
        Route::Judge(item) => change::judge(rule, &run, item, line).await,
        Route::Fetch => change::judge_oversized(rule, &run, line).await,
        Route::Inventory => rule.inventory(&run, line).await,
    }
}

/// One invocation of a rule: what every step of it needs.
pub struct Run<'a, C, P> {
    pub(crate) shell: &'a RuleShell<C>,
    pub(crate) raw: &'a Value,
    pub(crate) event: &'a RuleEvent,
    pub(crate) own: &'a Own,
    pub(crate) params: &'a RuleParameters<P>,
    pub(crate) scope: RuleScope<'a>,
}

impl<C: Connect, P> Run<'_, C, P> {
    /// The account the event is about: the rule's owner, else the function's own.
    pub(crate) fn account(&self) -> Result<AccountId, Fault> {
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

    /// The clients for resources of `account` in `region`.
    pub(crate) async fn clients(&self, account: &AccountId, region: &Region) -> Result<std::sync::Arc<C>, Fault> {
        self.shell.clients.at(self.own.account.as_ref().unwrap_or(account), account, region).await
    }

    /// Sends one verdict with the time of what it was judged from.
    async fn answer(&self, resource: ResourceKey, verdict: Verdict, line: &mut Invocation) -> Result<(), Fault> {
        let ordering = match &self.event.message {
            Message::Change { item, .. } => item.captured_at,
            Message::Oversized { summary, .. } => summary.captured_at,
            Message::Periodic { created_at, .. } => *created_at,
        };
        self.send(&[Evaluation { resource, verdict, ordering }], line).await.map(drop)
    }

    /// Sends evaluations and counts by verdict those that AWS Config has.
    pub(crate) async fn send(&self, evaluations: &[Evaluation], line: &mut Invocation) -> Result<Sent, Fault> {
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
