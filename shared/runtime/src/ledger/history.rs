//! Attempts by time, for display: the ids of a control's attempts sort by time, and each leads to its attempt.

use futures_util::{StreamExt, TryStreamExt, stream};
use rectify_compliance::Timestamp;
use serde_json::Value;

use super::item::{Item, read_text, text};
use super::key::{attempts_in, lowest_id, places_of};
use super::{Attempt, Ledger};
use crate::Error;

/// How many attempts are read side by side.
const CONCURRENT_READS: usize = 16;

/// An attempt of a list. One that cannot be read does not hide the others.
#[derive(Debug)]
pub struct AttemptByTime {
    /// Its id.
    pub id: String,
    /// Its control.
    pub control: String,
    /// The attempt, without its states.
    pub attempt: Result<Attempt, Error>,
}

impl Ledger {
    /// The attempts of a control that began at `since` or later, oldest first, without their states; only those in
    /// `account` if it is given. Reads one item for each of them, and scans nothing.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the list cannot be read.
    pub async fn attempts_since(
        &self,
        control: &str,
        since: Timestamp,
        account: Option<&str>,
    ) -> Result<Vec<AttemptByTime>, Error> {
        let places = self.partition(&places_of(control)).key_condition_expression("pk = :pk AND sk >= :from");
        let places = places.expression_attribute_values(":from", text(lowest_id(since)));
        let prefix = attempts_in(control, account);
        let mut wanted = Vec::new();
        for place in self.items(places).await? {
            if read_text(&place, "at_pk")?.starts_with(&prefix) {
                wanted.push(place);
            }
        }
        stream::iter(wanted)
            .map(|place| async move {
                let id = read_text(&place, "sk")?.to_owned();
                let item = self.get(read_text(&place, "at_pk")?, read_text(&place, "at_sk")?).await?;
                let attempt = match &item {
                    Some(item) => without_states(item),
                    None => Err(Error::Ledger(format!("attempt {id}: not at its place"))),
                };
                Ok::<_, Error>(AttemptByTime { id, control: control.to_owned(), attempt })
            })
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await
    }
}

fn without_states(item: &Item) -> Result<Attempt, Error> {
    let unreadable = |error: serde_json::Error| Error::Ledger(format!("attempt: {error}"));
    let mut value: Value = serde_json::from_str(read_text(item, "body")?).map_err(unreadable)?;
    for name in ["before", "after"] {
        if let Some(state) = value.get_mut(name) {
            *state = Value::Null;
        }
    }
    serde_json::from_value(value).map_err(unreadable)
}
