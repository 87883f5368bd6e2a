//! What needs no AWS: `rectify replay`, and the scan of files that AWS Config delivered to S3. Calls nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use rectify_compliance::{Entry, Timestamp};
use rectify_scan::judges::{ControlParameters, Judges};
use rectify_scan::replay::{self, Timeline};
use rectify_scan::result::SCHEMA_VERSION;
use rectify_scan::snapshot::collection::Collection;
use rectify_scan::snapshot::{self, Found, Judged, Summary};
use rectify_scan::{Scan, events};
use serde_json::json;

use crate::arguments::ReplayArguments;
use crate::check::known;
use crate::cli_error::CliError;
use crate::report::{Ending, Report};

/// How many types or unreadable items are named.
const NAMED: usize = 10;

/// Scans snapshot and history files, gzipped or not; `-` is standard input. The newest item of a resource decides.
///
/// Ages are those of now, not of the snapshot. What was not evaluated is noted on standard error; what could not be
/// read is also a row.
///
/// # Errors
/// [`CliError::Usage`] for a file that cannot be opened or is not one of AWS Config, and for invalid parameters.
pub(crate) fn scan_snapshot(
    paths: &[PathBuf],
    parameters: &ControlParameters,
    controls: &[&'static Entry],
) -> Result<Scan, CliError> {
    let started = Timestamp::now();
    let judges = Judges::new(controls, parameters, Some(started)).map_err(usage)?;
    let mut collection = Collection::default();
    for path in paths {
        let summary = judge(path, &judges, |source, found| collection.add(source, found))?;
        collection.end(&summary);
        for note in notes(&summary) {
            // A note that cannot be written is not worth the scan.
            drop(writeln!(std::io::stderr(), "{}: {note}", summary.source_name));
        }
    }
    let (places, rows) = collection.finish(&judges);
    Ok(Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now(),
        source: sources(paths),
        places,
        controls: controls.iter().map(|control| control.meta.id.to_owned()).collect(),
        rows,
        since: None,
    })
}

/// Scans rule events and configuration items, one per file; `-` is standard input. The newest item of a resource
/// decides. The controls of the scan are those of the items' types.
///
/// # Errors
/// [`CliError::Usage`] for a file that cannot be read or has neither, and for invalid parameters.
pub(crate) fn scan_events(
    paths: &[PathBuf],
    parameters: &ControlParameters,
    controls: &[&'static Entry],
) -> Result<Scan, CliError> {
    let started = Timestamp::now();
    let judges = Judges::new(controls, parameters, Some(started)).map_err(usage)?;
    let (mut collection, mut types) = (Collection::default(), BTreeSet::new());
    for path in paths {
        let source = name(path);
        let named = |error: &dyn std::fmt::Display| CliError::usage(format!("{source}: {error}"));
        let file = std::io::read_to_string(open(path)?).map_err(|error| named(&error))?;
        let file = serde_json::from_str(&file).map_err(|error| named(&format_args!("not JSON: {error}")))?;
        let judged = events::judge(file, &judges).map_err(|error| named(&error))?;
        let resource = &judged.resource;
        let unscanned = if !judged.status.is_recorded() {
            Some(format!("{resource}: not evaluated, its status is {}", judged.status.name()))
        } else if judged.rows.is_empty() {
            Some(format!("{resource}: no selected control evaluates its type"))
        } else {
            None
        };
        if let Some(note) = unscanned {
            // A note that cannot be written is not worth the scan.
            drop(writeln!(std::io::stderr(), "{source}: {note}"));
        }
        types.insert(resource.kind.clone());
        collection.add(&source, Found::Judged(judged));
    }
    let (places, rows) = collection.finish_with(&judges, |_| Vec::new());
    let of_types = |control: &&&Entry| control.meta.resource_types.iter().any(|kind| types.contains(*kind));
    Ok(Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now(),
        source: sources(paths),
        places,
        controls: controls.iter().filter(of_types).map(|control| control.meta.id.to_owned()).collect(),
        rows,
        since: None,
    })
}

/// Replays the history of resources.
///
/// # Errors
/// [`CliError::Usage`] for a file that cannot be opened or is not one of AWS Config, and for a control that needs more
/// than recorded items.
pub(crate) fn replay(arguments: &ReplayArguments) -> Result<Report, CliError> {
    let controls = replayed(&arguments.controls)?;
    let judges = Judges::new(&controls, &ControlParameters::new(), None).map_err(usage)?;
    let mut judged: Vec<Judged> = Vec::new();
    let mut unread: Vec<String> = Vec::new();
    for path in &arguments.files {
        let summary = judge(path, &judges, |source, found| match found {
            Found::Judged(it) => judged.push(it),
            Found::Malformed(it) => unread.push(format!("{source}: {it}")),
        })?;
        unread.extend(
            summary.stopped.map(|reason| format!("{}: {}", summary.source_name, stopped(summary.items, &reason))),
        );
    }
    if let Some(resource) = &arguments.resource {
        judged = replay::of_resource(judged, resource);
    }
    Ok(report(&replay::timelines(judged), &unread, arguments.resource.is_some()))
}

/// The controls with these ids; without ids, all that can be replayed.
fn replayed(ids: &[String]) -> Result<Vec<&'static Entry>, CliError> {
    let evaluates_items = |control: &Entry| control.change.is_some_and(|change| change.needs_item_only());
    if ids.is_empty() {
        return Ok(rectify_catalogue::controls().filter(|control| evaluates_items(control)).collect());
    }
    let control = |id: &String| {
        let control = known(id)?;
        if evaluates_items(control) {
            return Ok(control);
        }
        Err(CliError::usage(format!(
            "control: expected one that evaluates the recorded item alone: received `{id}`, which also reads from AWS: \
             rectify check {id} evaluates one event with the results of its reads"
        )))
    };
    ids.iter().map(control).collect()
}

fn report(timelines: &[Timeline], unread: &[String], show_all: bool) -> Report {
    let (found, passed): (Vec<Timeline>, Vec<Timeline>) =
        timelines.iter().cloned().partition(|it| show_all || !it.findings.is_empty());
    let mut parts: Vec<String> = Vec::new();
    if !found.is_empty() {
        parts.push(replay::text(&found));
    }
    let open = timelines.iter().filter(|it| it.is_open()).count();
    let findings: usize = timelines.iter().map(|it| it.findings.len()).sum();
    let mut last = format!("{findings} findings, {open} still open\n");
    if !passed.is_empty() {
        last += &format!("{} without a finding, not shown\n", passed.len());
    }
    if timelines.is_empty() {
        "no item of a replayed control\n".clone_into(&mut last);
    }
    last += &unread.iter().take(NAMED).map(|it| format!("cannot be read: {it}\n")).collect::<String>();
    if unread.len() > NAMED {
        last += &format!("cannot be read: {} more\n", unread.len() - NAMED);
    }
    parts.push(last);
    let ending = if open > 0 || !unread.is_empty() { Ending::Finding } else { Ending::Fine };
    Report { text: parts.join("\n"), json: json!({ "timelines": timelines, "unread": unread }), ending }
}

/// Judges one file with a worker per core.
fn judge(path: &Path, judges: &Judges, mut found: impl FnMut(&str, Found)) -> Result<Summary, CliError> {
    let source = name(path);
    let input = open(path)?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    snapshot::judge(&source, input, judges, workers, |it| found(&source, it)).map_err(usage)
}

/// The file; `-` is standard input.
fn open(path: &Path) -> Result<Box<dyn Read + Send>, CliError> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| CliError::usage(format!("{}: {error}", name(path))))?;
    Ok(Box::new(file))
}

fn sources(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| name(path)).collect::<Vec<_>>().join(", ")
}

/// What a reader of the scan should know about a file.
fn notes(summary: &Summary) -> Vec<String> {
    let mut notes = Vec::new();
    let Summary { items, malformed, other_types, .. } = summary;
    let others: u64 = other_types.values().sum();
    if others > 0 {
        let mut types: Vec<(&String, &u64)> = other_types.iter().collect();
        types.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), *kind));
        let mut named: Vec<String> = types.iter().take(NAMED).map(|(kind, count)| format!("{kind} {count}")).collect();
        if types.len() > NAMED {
            named.push(format!("{} more types", types.len() - NAMED));
        }
        let named = named.join(", ");
        notes.push(format!("{others} of {items} items are of types that no selected control evaluates here: {named}"));
    }
    if *malformed > 0 {
        notes.push(format!("{malformed} of {items} items cannot be read"));
    }
    notes.extend(summary.stopped.as_ref().map(|reason| stopped(*items, reason)));
    notes
}

fn stopped(items: u64, reason: &str) -> String {
    format!("stopped after item {items}, and what follows is unknown: {reason}")
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

#[allow(clippy::needless_pass_by_value)] // The signature of `map_err`.
fn usage(error: impl std::fmt::Display) -> CliError {
    CliError::usage(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
