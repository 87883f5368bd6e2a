//! Who made the change behind a finding, asked of CloudTrail and announced.
//!
//! A queue brings what the remediations announce about findings; each names an attempt, and everything else is read from
//! the ledger, so that nobody who can put an event on the bus has a say in what is told. It writes to no resource, and what
//! it announces starts nothing of this suite.
//!
//! CloudTrail shows a call some minutes after it was made. A finding is therefore asked about at once and, while the newest
//! change may not be there yet, once more: what is told meanwhile is either a change right before the finding or "unknown",
//! and is told anew only if the second look knows better. The second look is the last message of its chain.
//!
//! | module | noun |
//! |---|---|
//! | [`settings`] | what the function is told |
//! | `letter` | one message of the queue |
//! | `lookup` | what CloudTrail says about a finding's resource |
//! | `answer` | the cause that follows from it, and its announcement |

mod answer;
mod letter;
mod lookup;
pub mod settings;

use std::process::ExitCode;

use answer::{Answer, announcement};
use letter::{Letter, LookupPass};
use rectify_compliance::{AccountId, Region, ShapeError, Timestamp};
use rectify_runtime::bus::{Announcement, Bus};
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::Ledger;
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde_json::{Value, json};
use settings::Settings;

use crate::client::trail::Trail;

/// What the function keeps between invocations.
#[derive(Debug, Clone)]
pub struct Attributor {
    /// What it is told.
    pub settings: Settings,
    /// Where it runs.
    pub region: Region,
    /// CloudTrail and the queue.
    pub trail: Trail,
    /// The ledger.
    pub ledger: Ledger,
    /// The event bus.
    pub bus: Bus,
}

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Somebody was named.
    Named,
    /// Nobody could be.
    Unknown,
    /// Nothing new was known.
    Nothing,
    /// The finding had been told about before.
    Before,
}

impl Told {
    const fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Unknown => "unknown",
            Self::Nothing => "nothing-new",
            Self::Before => "told-before",
        }
    }
}

/// Serves the queue.
pub fn serve() -> ExitCode {
    serve::run("attribution", Attributor::from_environment, &async |shell, event, own, line| {
        let account = own.account.as_ref();
        let account =
            account.ok_or_else(|| ShapeError::missing("invokedFunctionArn", "the account of the function"))?;
        shell.batch(&event, account, Timestamp::now(), line).await
    })
}

impl Attributor {
    /// Builds it from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing or malformed.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let settings = Settings::read(environment)?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self {
            trail: Trail::new(&sdk),
            ledger: Ledger::new(&sdk, &settings.ledger_table),
            bus: Bus::new(&sdk, &settings.event_bus),
            region: function.region,
            settings,
        })
    }

    /// One batch of messages, in the account of the function's role. The answer names those that failed: they come again, and
    /// at last lie in the dead-letter queue; a call that was denied is a fault like any other, and nobody is "unknown" for it.
    ///
    /// # Errors
    /// [`Error`] when the batch itself cannot be read.
    pub async fn batch(
        &self,
        event: &Value,
        account: &AccountId,
        now: Timestamp,
        line: &mut Invocation,
    ) -> Result<Value, Error> {
        let mut failures = Vec::new();
        for letter in Letter::of_batch(event)? {
            match self.answer(&letter, account, now).await {
                Ok(told) => line.count("Attributions", "Answer", told.name(), 1),
                Err(fault) => {
                    line.count("Failures", "ErrorType", fault.kind(), 1);
                    tracing::warn!(letter = letter.id, kind = fault.kind(), error = %fault, "not attributed");
                    failures.push(json!({ "itemIdentifier": letter.id }));
                }
            }
        }
        line.note("failed", failures.len());
        Ok(json!({ "batchItemFailures": failures }))
    }

    async fn answer(&self, letter: &Letter, account: &AccountId, now: Timestamp) -> Result<Told, Error> {
        let about = letter.about.as_ref().map_err(|error| Error::from(error.clone()))?;
        let id = about.attempt.as_str();
        let attempt = self.ledger.attempt(&about.control, id).await?;
        let attempt = attempt.ok_or_else(|| ShapeError::new("detail.attempt", "an attempt of the ledger", id))?;
        if attempt.target.account != *account {
            let (home, account) = (account.to_string(), attempt.target.account.to_string());
            return Err(Error::ForeignAccount { home, account });
        }
        let told = self.ledger.attributed(&attempt).await?;
        if letter.look == LookupPass::First && told.is_some() {
            return Ok(Told::Before);
        }
        let looked = self.look_up(&attempt, account, now).await?;
        let answer = Answer::of(&looked, &attempt, letter.look, now);
        let known = told.as_deref() == Some(answer.event());
        if letter.look == LookupPass::Second && (known || answer.event().is_empty()) {
            return Ok(Told::Nothing);
        }
        // The second look is on its way before the first is told: one that was told and not asked for again would stay so.
        let again = letter.look == LookupPass::First && answer.may_change();
        if again {
            let mark = (letter::LOOK, letter::SECOND);
            self.trail.delay(&self.settings.queue, &letter.body, mark, self.settings.retry_seconds).await?;
        }
        let detail = announcement(&attempt, &answer, again.then_some(self.settings.retry_seconds));
        self.bus.announce(Announcement::Attribution, &detail).await?;
        self.ledger.mark_attributed(&attempt, answer.event(), now).await?;
        Ok(if answer.event().is_empty() { Told::Unknown } else { Told::Named })
    }
}
