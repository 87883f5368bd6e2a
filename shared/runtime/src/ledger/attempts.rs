//! Attempts in the table: begun in one transaction with budget and before-image, saved after every step, finished once.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use rectify_compliance::{Target, Timestamp};

use super::item::{Item, instant, key, number, read_text, text};
use super::key::{ALONE, attempt, attempts_of, budget, finding, pointer};
use super::{ActionRecord, Attempt, Lease, Ledger, Outcome, ResourcePath, State, unavailable};
use crate::Fault;
use crate::retry::Backoff;

/// How long it is remembered what came of a finding, seconds: 30 days, longer than any event is retried.
const FINDING_TTL: i64 = 30 * 24 * 3600;
/// How long a budget counter is kept, seconds.
const BUDGET_TTL: i64 = 2 * 3600;
/// The most an attempt may weigh, bytes: DynamoDB takes 400 KB an item, keys and receipts included.
const MAX_BODY: usize = 350_000;

/// Whether an attempt could begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Budget taken, before-image stored: it may act.
    Yes,
    /// The hour's budget is used up; nothing was written.
    OverBudget,
}

/// What came of a finding so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The attempt that answered it last.
    pub attempt: String,
    /// How.
    pub outcome: Outcome,
    /// Why, as it was recorded; the same answer for the same reason is not recorded twice.
    pub reason: String,
}

impl Ledger {
    /// Stores the attempt with its before-image and takes one from the budget, all or nothing, under the lease.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be told or the lease was lost: then nothing may be written to the resource.
    pub async fn begin(&self, lease: &Lease, attempt: &Attempt, limit: u32) -> Result<Begun, Fault> {
        let counter = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&budget(&attempt.control, attempt.target.account.as_str(), attempt.started_at), ALONE)))
            .update_expression("ADD n :one SET expires = :expires")
            .condition_expression("attribute_not_exists(n) OR n < :limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit))
            .expression_attribute_values(":expires", number(attempt.started_at.as_second() + BUDGET_TTL))
            .build()
            .map_err(|error| Fault::Ledger(error.to_string()))?;
        if limit == 0 {
            return Ok(Begun::OverBudget);
        }
        // What could be begun but not ended would be changed and never recorded: the after-image and the actions must fit too.
        let mut grown = attempt.clone();
        grown.after.clone_from(&attempt.before);
        grown
            .actions
            .extend(attempt.plan.calls().into_iter().map(|it| ActionRecord { action: it.clone(), receipt: None }));
        self.attempt_item(&grown)?;
        let writes = vec![
            TransactWriteItem::builder().update(counter).build(),
            self.still_ours(lease)?,
            self.put_new(self.attempt_item(attempt)?)?,
            self.put_new(pointer_item(attempt))?,
        ];
        match self.transact(writes, "begin").await? {
            Transacted::Done => Ok(Begun::Yes),
            Transacted::Refused(0) => Ok(Begun::OverBudget),
            Transacted::Refused(_) => Err(lost(lease)),
        }
    }

    /// Stores the attempt as it is now, under the lease.
    ///
    /// # Errors
    /// [`Fault::Ledger`] as for [`begin`](Self::begin).
    pub async fn save(&self, lease: &Lease, attempt: &Attempt) -> Result<(), Fault> {
        let writes = vec![self.still_ours(lease)?, self.put_any(self.attempt_item(attempt)?)?];
        match self.transact(writes, "save").await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(lost(lease)),
        }
    }

    /// Stores an attempt that has ended, with what came of its finding.
    ///
    /// # Errors
    /// [`Fault::Ledger`] as for [`begin`](Self::begin).
    pub async fn finish(&self, lease: &Lease, attempt: &Attempt) -> Result<(), Fault> {
        let mut writes = vec![
            self.still_ours(lease)?,
            self.put_any(self.attempt_item(attempt)?)?,
            self.put_any(pointer_item(attempt))?,
        ];
        if let Some(outcome) = attempt.outcome {
            writes.push(self.put_any(finding_item(attempt, outcome))?);
        }
        match self.transact(writes, "finish").await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(lost(lease)),
        }
    }

    /// What came of a finding, if anything did.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked.
    pub async fn finding(
        &self,
        control: &str,
        target: &Target,
        recorded_at: Timestamp,
    ) -> Result<Option<Finding>, Fault> {
        let Some(item) = self.get(&finding(control, target, recorded_at), ALONE).await? else { return Ok(None) };
        let outcome = read_text(&item, "outcome")?;
        Ok(Some(Finding {
            attempt: read_text(&item, "attempt")?.to_owned(),
            outcome: serde_json::from_value(serde_json::Value::String(outcome.to_owned()))
                .map_err(|_| Fault::Ledger(format!("outcome: unknown: received `{outcome}`")))?,
            reason: read_text(&item, "reason")?.to_owned(),
        }))
    }

    /// The attempt of this control on this resource that was begun and not ended, if there is one.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked or an attempt cannot be read.
    pub async fn unfinished(&self, path: &ResourcePath, control: &str) -> Result<Option<Attempt>, Fault> {
        let attempts = self.attempts(path, Some(control)).await?;
        Ok(attempts.into_iter().rev().find(|attempt| attempt.state == State::Open))
    }

    /// The attempts on a resource, oldest first, of one control or of all.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked or an attempt cannot be read.
    pub async fn attempts(&self, path: &ResourcePath, control: Option<&str>) -> Result<Vec<Attempt>, Fault> {
        let prefix = control.map_or_else(|| "A#".to_owned(), attempts_of);
        self.query(path.as_str(), &prefix).await?.iter().map(read_attempt).collect()
    }

    /// An attempt by its id.
    ///
    /// # Errors
    /// [`Fault::Ledger`] when the table cannot be asked or the attempt cannot be read.
    pub async fn attempt(&self, id: &str) -> Result<Option<Attempt>, Fault> {
        let Some(at) = self.get(&pointer(id), ALONE).await? else { return Ok(None) };
        let item = self.get(read_text(&at, "at_pk")?, read_text(&at, "at_sk")?).await?;
        item.as_ref().map(read_attempt).transpose()
    }

    fn attempt_item(&self, it: &Attempt) -> Result<Item, Fault> {
        let body = serde_json::to_string(it).map_err(|error| Fault::Ledger(error.to_string()))?;
        if body.len() > MAX_BODY {
            return Err(Fault::Ledger(format!(
                "attempt {}: expected at most {MAX_BODY} bytes: received `{}`",
                it.id,
                body.len()
            )));
        }
        let mut item = key(ResourcePath::of(&it.target).as_str(), &attempt(&it.control, &it.id));
        let state = match it.state {
            State::Open => "open",
            State::Finished => "finished",
        };
        item.insert("state".to_owned(), text(state));
        item.insert("started_at".to_owned(), instant(it.started_at));
        if let Some(outcome) = it.outcome {
            item.insert("outcome".to_owned(), text(outcome.name()));
        }
        item.insert("body".to_owned(), text(body));
        Ok(item)
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, Fault> {
        self.put_write(item, Some("attribute_not_exists(pk)"))
    }

    fn put_any(&self, item: Item) -> Result<TransactWriteItem, Fault> {
        self.put_write(item, None)
    }

    fn put_write(&self, item: Item, condition: Option<&str>) -> Result<TransactWriteItem, Fault> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(|error| Fault::Ledger(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Writes all or nothing; a conflict with another transaction is tried again, a failed condition is told by its place.
    async fn transact(&self, writes: Vec<TransactWriteItem>, what: &str) -> Result<Transacted, Fault> {
        let mut tries = Backoff::CONFIG.tries();
        while tries.next().await.is_some() {
            let request = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let error = match request.send().await {
                Ok(_) => return Ok(Transacted::Done),
                Err(error) => error,
            };
            match refusal(&error) {
                Some(place) => return Ok(Transacted::Refused(place)),
                None if is_conflict(&error) && !tries.is_last() => {}
                None => return Err(unavailable(what, &error)),
            }
        }
        Err(Fault::Ledger(format!("{what}: conflicting transactions")))
    }
}

enum Transacted {
    Done,
    /// Which write's condition failed.
    Refused(usize),
}

fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> Vec<&str> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect()
        }
        _ => Vec::new(),
    }
}

fn refusal<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<usize> {
    reasons(error).iter().position(|code| *code == "ConditionalCheckFailed")
}

fn is_conflict<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    reasons(error).contains(&"TransactionConflict")
}

fn lost(lease: &Lease) -> Fault {
    Fault::Ledger(format!("lease of {}: lost by `{}`", lease.path.as_str(), lease.owner))
}

fn pointer_item(it: &Attempt) -> Item {
    let mut item = key(&pointer(&it.id), ALONE);
    item.insert("at_pk".to_owned(), text(ResourcePath::of(&it.target).as_str()));
    item.insert("at_sk".to_owned(), text(attempt(&it.control, &it.id)));
    item
}

fn finding_item(it: &Attempt, outcome: Outcome) -> Item {
    let mut item = key(&finding(&it.control, &it.target, it.recorded_at), ALONE);
    let now = it.finished_at.unwrap_or(it.started_at);
    item.insert("attempt".to_owned(), text(&it.id));
    item.insert("outcome".to_owned(), text(outcome.name()));
    item.insert("reason".to_owned(), text(&it.reason));
    item.insert("expires".to_owned(), number(now.as_second() + FINDING_TTL));
    item
}

fn read_attempt(item: &Item) -> Result<Attempt, Fault> {
    match item.get("body") {
        Some(AttributeValue::S(body)) => {
            serde_json::from_str(body).map_err(|error| Fault::Ledger(format!("attempt: {error}")))
        }
        other => Err(Fault::Ledger(format!("attempt.body: expected a string: received `{other:?}`"))),
    }
}
