//! Finds out from CloudTrail who made the change behind a finding, and announces it.
//!
//! The input is a queue with the remediations' announcements about findings. Only control and attempt id are taken from
//! a message; everything else is read from the ledger, so that a principal that can put events on the bus cannot
//! influence the result. The function changes no resource, and its announcements start no other function of Rectify.
//!
//! CloudTrail shows a call some minutes after it was made. A finding is therefore looked up immediately and, if the
//! newest change may not be visible yet, a second time. The first lookup announces a change right before the finding,
//! or "unknown"; the second one announces again only if its result differs. The second lookup is the last message of
//! its chain.
//!
//! | module | content |
//! |---|---|
//! | [`settings`] | the function's settings |
//! | `message` | one message of the queue |
//! | `lookup` | CloudTrail's events about a finding's resource |
//! | `answer` | the cause derived from them, and its announcement |

mod answer;
mod lookup;
mod message;
pub mod settings;

use std::process::ExitCode;

use answer::{Answer, announcement};
use message::{LookupPass, QueueMessage};
use rectify_compliance::{AccountId, Region, ShapeError, Timestamp};
use rectify_runtime::bus::{Announcement, Bus};
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::Ledger;
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde_json::Value;
use settings::Settings;

use crate::client::trail::Trail;
use crate::queue;

/// The context of the function, kept between invocations.
#[derive(Debug, Clone)]
pub struct Attributor {
    /// The settings.
    pub settings: Settings,
    /// The function's region.
    pub region: Region,
    /// CloudTrail and the queue.
    pub trail: Trail,
    /// The ledger.
    pub ledger: Ledger,
    /// The event bus.
    pub bus: Bus,
}

/// The result of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnswerStatus {
    /// A principal was announced.
    Named,
    /// The cause was announced as unknown.
    Unknown,
    /// The second lookup had no new result.
    NothingNew,
    /// The finding's cause was announced before.
    AnnouncedBefore,
    /// The attempt is in a member account, whose CloudTrail this function does not read.
    OtherAccount,
}

impl AnswerStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Unknown => "unknown",
            Self::NothingNew => "nothing-new",
            Self::AnnouncedBefore => "announced-before",
            Self::OtherAccount => "other-account",
        }
    }
}

/// Serves the queue.
pub fn serve() -> ExitCode {
    serve::run("attribution", Attributor::from_environment, &async |attributor, event, own, log| {
        let account = crate::own_account(own)?;
        attributor.batch(&event, account, Timestamp::now(), log).await
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

    /// Handles a batch of messages, in the account of the function's role. The response lists the failed ones, which
    /// SQS delivers again and finally moves to the dead-letter queue. A denied call is such a failure, not an "unknown"
    /// cause.
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
            let message = QueueMessage::read(record);
            Ok(self.answer(&message, account, now).await?.name())
        };
        queue::batch(event, ("Attributions", "Answer"), "not attributed", log, handle).await
    }

    async fn answer(&self, message: &QueueMessage, account: &AccountId, now: Timestamp) -> Result<AnswerStatus, Error> {
        let about = message.about.as_ref().map_err(|error| Error::from(error.clone()))?;
        let id = about.attempt.as_str();
        let attempt = self.ledger.attempt(&about.control, id).await?;
        let attempt = attempt.ok_or_else(|| ShapeError::new("detail.attempt", "an attempt of the ledger", id))?;
        if attempt.target.account != *account {
            return Ok(AnswerStatus::OtherAccount);
        }
        let announced = self.ledger.attributed(&attempt).await?;
        if message.pass == LookupPass::First && announced.is_some() {
            return Ok(AnswerStatus::AnnouncedBefore);
        }
        let lookup = self.look_up(&attempt, account, now).await?;
        let answer = Answer::of(&lookup, &attempt, message.pass, now);
        let known = announced.as_deref() == Some(answer.event());
        if message.pass == LookupPass::Second && (known || answer.event().is_empty()) {
            return Ok(AnswerStatus::NothingNew);
        }
        // The second lookup is queued before the first result is announced: otherwise a failure in between would skip
        // it.
        let is_retried = message.pass == LookupPass::First && answer.may_change();
        if is_retried {
            let mark = (message::PASS_ATTRIBUTE, message::SECOND);
            self.trail.delay(&self.settings.queue, &message.body, mark, self.settings.retry_seconds).await?;
        }
        let detail = announcement(&attempt, &answer, is_retried.then_some(self.settings.retry_seconds));
        self.bus.announce(Announcement::Attribution, &detail).await?;
        self.ledger.mark_attributed(&attempt, answer.event(), now).await?;
        Ok(if answer.event().is_empty() { AnswerStatus::Unknown } else { AnswerStatus::Named })
    }
}
