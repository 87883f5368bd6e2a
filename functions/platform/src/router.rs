//! Collects what becomes known about each finding, and sends one ticket per change to a queue.
//!
//! The input is a queue with AWS Config's compliance changes, in both directions, and with Rectify's announcements. Of
//! an announcement only control and attempt id are used; the attempt is read from the ledger. The exceptions are actor
//! and changes of an attribution, which the ledger does not have: a principal that can put events on the bus can
//! influence them. The function changes no resource and announces nothing.
//!
//! A finding is stored before its ticket is sent, and marked as sent afterwards. A delivery that fails in between is
//! repeated by SQS and sends the ticket of the stored version; the queue's deduplication drops one that was sent.
//!
//! | module | content |
//! |---|---|
//! | [`settings`] | the function's settings |
//! | `message` | one message of the queue |

mod message;
pub mod settings;

use std::process::ExitCode;

use message::About;
use rectify_catalogue::find;
use rectify_compliance::finding::{Attempted, Attributed, Fact, Held, TicketStep};
use rectify_compliance::{AccountId, Region, ShapeError, Target, Timestamp};
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, ResourcePath};
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde_json::Value;
use settings::Settings;

use crate::client::tickets::Tickets;
use crate::queue::{self, AttemptName};

/// How often a finding is read again when another invocation stored it first.
const TRIES: usize = 10;

/// The context of the function, kept between invocations.
#[derive(Debug, Clone)]
pub struct Router {
    /// The settings.
    pub settings: Settings,
    /// The function's region.
    pub region: Region,
    /// The ledger.
    pub ledger: Ledger,
    /// The queue of tickets.
    pub tickets: Tickets,
}

/// The result of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoutingStatus {
    /// A ticket was sent.
    Sent,
    /// What the message says is known, or is no finding.
    NothingNew,
    /// The message is about a rule that is not of this deployment, or about another account or region.
    Ignored,
}

impl RoutingStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NothingNew => "nothing-new",
            Self::Ignored => "ignored",
        }
    }
}

/// Serves the queue.
pub fn serve() -> ExitCode {
    serve::run("router", Router::from_environment, &async |router, event, own, log| {
        let account = crate::own_account(own)?;
        router.batch(&event, account, Timestamp::now(), log).await
    })
}

impl Router {
    /// Builds it from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let settings = Settings::read(environment)?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self {
            ledger: Ledger::new(&sdk, &settings.ledger_table),
            tickets: Tickets::new(&sdk, &settings.tickets),
            region: function.region,
            settings,
        })
    }

    /// Handles a batch of messages, in the account of the function's role. The response lists the failed ones, which
    /// SQS delivers again and finally moves to the dead-letter queue.
    ///
    /// # Errors
    /// [`Error`] when the batch itself cannot be read.
    pub async fn batch(
        &self,
        event: &Value,
        account: &AccountId,
        now: Timestamp,
        log: &mut Invocation,
    ) -> Result<Value, Error> {
        let handle = async |record: &Value| {
            let about = message::about(queue::body(record))?;
            Ok(self.route(&about, account, now).await?.name())
        };
        queue::batch(event, ("Routed", "Result"), "not routed", log, handle).await
    }

    async fn route(&self, about: &About, account: &AccountId, now: Timestamp) -> Result<RoutingStatus, Error> {
        let Some((control, target, facts)) = self.facts(about, account, now).await? else {
            return Ok(RoutingStatus::Ignored);
        };
        let meta = find(&control).ok_or_else(|| ShapeError::new("control", "a control's id", &control))?.meta;
        for _try in 0..TRIES {
            let known = self.ledger.routed(&control, &target).await?;
            let mut finding = known.clone();
            finding.history = facts.iter().cloned().fold(finding.history, rectify_compliance::finding::History::with);
            if finding.history != known.history {
                finding.version += 1;
                if !self.ledger.store_routed(&finding, known.version, now).await? {
                    continue;
                }
            }
            let due = finding.is_due().then(|| finding.history.ticket(meta, &finding.target, finding.version));
            let Some(ticket) = due.flatten() else { return Ok(RoutingStatus::NothingNew) };
            self.tickets.put(&ticket).await?;
            finding.sent = finding.version;
            // If another invocation stored a later version meanwhile, that one marks its own.
            self.ledger.store_routed(&finding, finding.version, now).await?;
            return Ok(RoutingStatus::Sent);
        }
        Err(Error::Ledger(format!("finding: {control}: {}: other invocations keep changing it", target.resource)))
    }

    /// Control, resource and facts of a message; `None` for a message that is about something else.
    async fn facts(
        &self,
        about: &About,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<Option<(String, Target, Vec<Fact>)>, Error> {
        match about {
            About::Compliance(change) => {
                let control = change.rule_name.strip_prefix(&self.settings.prefix).unwrap_or_default();
                let is_here = [self.region.as_str(), "global"].contains(&change.region.as_str());
                if find(control).is_none() || change.account != *account || !is_here {
                    return Ok(None);
                }
                let fact = match change.compliance_type.as_str() {
                    "NON_COMPLIANT" => Fact::Violated(change.recorded_at),
                    "COMPLIANT" | "NOT_APPLICABLE" => Fact::Resolved(change.recorded_at),
                    // INSUFFICIENT_DATA says nothing about the resource.
                    _ => return Ok(None),
                };
                let target = Target {
                    account: change.account.clone(),
                    region: self.region.clone(),
                    resource: change.resource.clone(),
                    name: None,
                    arn: None,
                };
                Ok(Some((control.to_owned(), target, vec![fact])))
            }
            About::Attempt { name: AttemptName { control, attempt: id }, cause } => {
                let attempt = self.ledger.attempt(control, id).await?;
                let attempt =
                    attempt.ok_or_else(|| ShapeError::new("detail.attempt", "an attempt of the ledger", id))?;
                // AWS Config reports the compliance of a member account there: its finding would never be resolved here.
                if attempt.target.account != *account {
                    return Ok(None);
                }
                let hold = self.ledger.hold_on(&ResourcePath::of(&attempt.target), control, now).await?;
                let hold = hold.map(|it| Held { until: it.until, by: it.by, reason: it.reason });
                let mut facts = vec![Fact::Attempted(attempted(&attempt, hold))];
                facts.extend(cause.as_ref().map(|(actor, changes)| {
                    Fact::Attributed(Attributed {
                        recorded_at: attempt.recorded_at,
                        attempt: attempt.id.clone(),
                        actor: actor.clone(),
                        changes: changes.clone(),
                    })
                }));
                Ok(Some((control.clone(), attempt.target, facts)))
            }
        }
    }
}

fn attempted(attempt: &Attempt, hold: Option<Held>) -> Attempted {
    Attempted {
        recorded_at: attempt.recorded_at,
        id: attempt.id.clone(),
        updated_at: attempt.finished_at.unwrap_or(attempt.started_at),
        outcome: attempt.outcome.map_or("open", Outcome::name).to_owned(),
        exempt: attempt.outcome == Some(Outcome::Exempt),
        reason: attempt.reason.clone(),
        annotation: attempt.finding.clone(),
        plan: TicketStep::of_plan(&attempt.plan),
        hold,
    }
}
