//! The files that AWS Config delivers to S3, judged item by item: configuration snapshots and histories, as
//! `{"fileVersion": "1.0", "configurationItems": […]}`, gzipped or not.
//!
//! A file is a stream: what is in memory does not depend on its size. The order of what is found is that of the file,
//! whatever the number of workers. Reads no clock and opens no file.
//!
//! | module | noun |
//! |---|---|
//! | `file` | the items of a file, as text |
//! | `item` | an item, from its text |
//! | [`collection`] | the rows of several files: the newest item of a resource decides |

pub mod collection;
mod file;
pub(crate) mod item;

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rectify_compliance::{ConfigurationItem, ItemStatus, ResourceKey, ShapeError, Timestamp};
use serde_json::value::RawValue;

use crate::judges::{Judges, place};
use crate::{Place, Row};
use file::Stopped;

/// A batch ends with the item that reaches one of these limits; each worker has at most [`QUEUED`] of them waiting, and
/// as many finished.
const BATCH_ITEMS: usize = 128;
const BATCH_BYTES: usize = 256 * 1024;
const QUEUED: usize = 2;

/// A file without a list of items.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{source_name}: expected a snapshot or history file of AWS Config, `{{\"configurationItems\": […]}}`, gzipped or \
     not: {reason}"
)]
pub struct NotASnapshot {
    /// The name of the file.
    pub source_name: String,
    /// What was found.
    pub reason: String,
}

/// What an item turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// An item of a type that a selected control evaluates.
    Judged(Judged),
    /// An item that cannot be read: its resource has no verdict.
    Malformed(Malformed),
}

/// The rows of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Its place in the file, from 1.
    pub position: u64,
    /// The account and region of the resource.
    pub place: Place,
    /// The resource.
    pub resource: ResourceKey,
    /// The name, if it is recorded.
    pub name: Option<String>,
    /// When the item was captured.
    pub captured_at: Timestamp,
    /// Whether the resource is recorded, or deleted.
    pub status: ItemStatus,
    /// A row for each control of the type, in the order of the selection; empty for a deleted resource.
    pub rows: Vec<Row>,
}

/// An item that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Its place in the file, from 1.
    pub position: u64,
    /// `resourceType`, if that can be read.
    pub resource_type: Option<String>,
    /// `resourceId`, if that can be read.
    pub resource_id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "item {}", self.position)?;
        for part in self.resource_type.iter().chain(&self.resource_id) {
            write!(out, " {part}")?;
        }
        write!(out, ": {}", self.reason)
    }
}

/// What a file contains, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The name of the file.
    pub source_name: String,
    /// All items.
    pub items: u64,
    /// Items of deleted or unrecorded resources; also in `judged`.
    pub gone: u64,
    /// Items of a type that a selected control evaluates.
    pub judged: u64,
    /// Verdicts, and rows without one.
    pub rows: u64,
    /// Items that cannot be read.
    pub malformed: u64,
    /// Items of types that no selected control evaluates, by type.
    pub other_types: BTreeMap<String, u64>,
    /// Why the file was not read to its end, if so: what follows is unknown.
    pub stopped: Option<String>,
}

/// Judges the items of a file and calls `found` with each, in the order of the file, on the calling thread.
///
/// A file that is cut off is judged as far as it goes, and the summary says why it stopped.
///
/// # Errors
/// [`NotASnapshot`] if there is no list of items.
pub fn judge(
    source_name: &str,
    input: impl Read + Send,
    judges: &Judges,
    workers: NonZeroUsize,
    mut found: impl FnMut(Found),
) -> Result<Summary, NotASnapshot> {
    let mut summary = Summary { source_name: source_name.to_owned(), ..Summary::default() };
    let ended = std::thread::scope(|scope| {
        let mut batches = Vec::new();
        let mut answers = Vec::new();
        for _ in 0..workers.get() {
            let (send_batch, batch) = sync_channel(QUEUED);
            let (send_answer, answer) = sync_channel(QUEUED);
            scope.spawn(move || work(judges, &batch, &send_answer));
            batches.push(send_batch);
            answers.push(answer);
        }
        let reader = scope.spawn(move || read(input, &batches));
        // Batches go to the workers in turn, so the first worker without an answer has none left, nor have the others.
        for batch in answers.iter().cycle().map_while(|answer| answer.recv().ok()) {
            for answer in batch {
                found_one(&mut summary, answer, &mut found);
            }
        }
        // Workers that have more to say, because another one panicked, end here instead of waiting.
        drop(answers);
        reader.join().unwrap_or_else(|_| Err(Stopped::Early("the reader stopped".to_owned())))
    });
    match ended {
        Ok(()) => Ok(summary),
        Err(Stopped::Early(reason)) => Ok(Summary { stopped: Some(reason), ..summary }),
        Err(Stopped::NoItems(reason)) => Err(NotASnapshot { source_name: source_name.to_owned(), reason }),
    }
}

fn found_one(summary: &mut Summary, answer: Answer, found: &mut impl FnMut(Found)) {
    summary.items += 1;
    match answer {
        Answer::OtherType(kind) => *summary.other_types.entry(kind).or_default() += 1,
        Answer::Found(it) => {
            match &it {
                Found::Malformed(_) => summary.malformed += 1,
                Found::Judged(judged) => {
                    summary.judged += 1;
                    summary.rows += judged.rows.len() as u64;
                    summary.gone += u64::from(!judged.status.is_recorded());
                }
            }
            found(it);
        }
    }
}

/// Consecutive items of a file.
#[derive(Default)]
struct Batch {
    first: u64,
    items: Vec<Box<RawValue>>,
    bytes: usize,
}

enum Answer {
    Found(Found),
    OtherType(String),
}

/// Sends the items of a file to the workers in turn.
fn read(input: impl Read, workers: &[SyncSender<Batch>]) -> Result<(), Stopped> {
    let mut turns = workers.iter().cycle();
    // A worker that is gone has panicked, which ends the scope.
    let mut send = |batch: Batch| turns.next().is_some_and(|worker| worker.send(batch).is_ok());
    let mut batch = Batch { first: 1, ..Batch::default() };
    let ended = file::items(input, &mut |item| {
        batch.bytes += item.get().len();
        batch.items.push(item);
        if batch.items.len() >= BATCH_ITEMS || batch.bytes >= BATCH_BYTES {
            let first = batch.first + batch.items.len() as u64;
            send(std::mem::replace(&mut batch, Batch { first, ..Batch::default() }));
        }
    });
    if !batch.items.is_empty() {
        send(batch);
    }
    ended
}

fn work(judges: &Judges, batches: &Receiver<Batch>, answers: &SyncSender<Vec<Answer>>) {
    for Batch { first, items, .. } in batches {
        let answer = (first..).zip(&items).map(|(position, text)| judge_item(judges, position, text)).collect();
        if answers.send(answer).is_err() {
            return;
        }
    }
}

fn judge_item(judges: &Judges, position: u64, text: &RawValue) -> Answer {
    match item::kind(text) {
        Some(kind) if !judges.has_type(&kind) => Answer::OtherType(kind),
        resource_type => {
            let about = || (resource_type, item::id(text));
            Answer::Found(judge_with(judges, position, item::parse(text), about))
        }
    }
}

/// The rows of an item, or why it has none; `about` is its type and id, as far as they can be read.
pub(crate) fn judge_with(
    judges: &Judges,
    position: u64,
    item: Result<ConfigurationItem, ShapeError>,
    about: impl FnOnce() -> (Option<String>, Option<String>),
) -> Found {
    match item {
        Ok(item) => Found::Judged(Judged {
            position,
            place: place(&item),
            rows: judges.rows(&item),
            resource: item.resource,
            name: item.name,
            captured_at: item.captured_at,
            status: item.status,
        }),
        Err(error) => {
            let (resource_type, resource_id) = about();
            Found::Malformed(Malformed { position, resource_type, resource_id, reason: error.to_string() })
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
