//! An attempt as items: its body, and the parts of the states that are too large for it.
//!
//! The parts are written in the body's transaction, so that one never exists without the other.

use rectify_compliance::canonical::sorted;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::item::{Item, key, read_text, text};
use super::key::{attempts_of, state_part_key, state_part_prefix, state_parts_of};
use super::{Attempt, Ledger, ResourcePath};
use crate::Error;

/// The largest state stored in the body, bytes of JSON.
const INLINE: usize = 100_000;
/// The size of a part, bytes: DynamoDB limits an item to 400 KB, keys included.
const PART: usize = 350_000;
/// The largest state, bytes: the prior and the resulting state fit into one transaction of 4 MB with its other items.
const LARGEST: usize = 1_700_000;
/// The largest body without its large states, bytes.
const MAX_BODY: usize = 350_000;
/// The fields of an attempt that hold states.
const STATES: [&str; 2] = ["before", "after"];

/// An attempt, ready to be written.
#[derive(Debug)]
pub(super) struct Chunked {
    /// The attempt without its large states.
    pub(super) body: String,
    /// The parts of its large states.
    pub(super) parts: Vec<Item>,
}

/// Splits an attempt into its body and the parts of its large states.
///
/// # Errors
/// [`Error::Ledger`] when the body or a state is too large to be stored: then nothing may be changed.
pub(super) fn pack(it: &Attempt) -> Result<Chunked, Error> {
    let mut value = serde_json::to_value(it).map_err(|error| Error::Ledger(error.to_string()))?;
    let mut parts = Vec::new();
    for name in STATES {
        let Some(field) = value.get_mut(name).filter(|field| !field.is_null()) else { continue };
        // Sorted keys make the checksum independent of a build's map order.
        let whole = sorted(field.clone()).to_string();
        if whole.len() <= INLINE {
            continue;
        }
        fits(it, name, whole.len(), LARGEST)?;
        let pieces = pieces(&whole);
        *field = json!({"parts": pieces.len(), "sha256": checksum(&whole)});
        for (number, piece) in pieces.iter().enumerate() {
            let mut item = key(&state_parts_of(&it.control, &it.id), &state_part_key(name, number));
            item.insert("text".to_owned(), text(*piece));
            parts.push(item);
        }
    }
    let body = value.to_string();
    fits(it, "body", body.len(), MAX_BODY)?;
    Ok(Chunked { body, parts })
}

fn fits(it: &Attempt, what: &str, size: usize, max: usize) -> Result<(), Error> {
    if size <= max {
        return Ok(());
    }
    Err(Error::Ledger(format!("attempt {}: {what}: expected at most {max} bytes: received `{size}`", it.id)))
}

/// The text in pieces of at most [`PART`] bytes, split between characters.
fn pieces(whole: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = whole;
    while !rest.is_empty() {
        let end = (0..=PART.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn checksum(whole: &str) -> String {
    Sha256::digest(whole).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ledger {
    /// Reads a complete attempt, states included.
    ///
    /// # Errors
    /// [`Error::Ledger`] when a part is missing or the checksum does not match: an incomplete state must not be
    /// restored.
    pub(super) async fn unpack(&self, item: &Item) -> Result<Attempt, Error> {
        let unreadable = |error: serde_json::Error| Error::Ledger(format!("attempt: {error}"));
        let mut value: Value = serde_json::from_str(read_text(item, "body")?).map_err(unreadable)?;
        let word = |name| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, control) = (word("id"), word("control"));
        for name in STATES {
            let Some(field) = value.get_mut(name) else { continue };
            let Some(expected) = field.get("sha256").and_then(Value::as_str).map(str::to_owned) else { continue };
            let parts = self.query(&state_parts_of(&control, &id), &state_part_prefix(name)).await?;
            // A state stored again with fewer parts leaves the last parts of the longer one behind.
            let count = field.get("parts").and_then(Value::as_u64).unwrap_or_default();
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let own = parts.iter().take(count);
            let whole = own.map(|part| read_text(part, "text")).collect::<Result<String, _>>()?;
            if checksum(&whole) != expected {
                return Err(Error::Ledger(format!(
                    "attempt {id}: {name}: the checksum of {} parts does not match",
                    parts.len()
                )));
            }
            *field = serde_json::from_str(&whole).map_err(unreadable)?;
        }
        serde_json::from_value(value).map_err(unreadable)
    }
}

/// The item of an attempt, without its large states.
pub(super) fn body_item(it: &Attempt, body: String) -> Item {
    let mut item = key(&attempts_of(&it.control, &ResourcePath::of(&it.target)), &it.id);
    item.insert("state".to_owned(), text(it.state.name()));
    item.insert("started_at".to_owned(), super::item::instant(it.started_at));
    if let Some(outcome) = it.outcome {
        item.insert("outcome".to_owned(), text(outcome.name()));
    }
    item.insert("body".to_owned(), text(body));
    item
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_between_characters() {
        let whole = format!("x{}", "é".repeat(PART));
        let pieces = pieces(&whole);
        assert_eq!(pieces.concat(), whole);
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|piece| piece.len() <= PART));
        assert_eq!(super::pieces(""), [""; 0]);
    }
}
