//! Judgements of recorded items per second and core.
//!
//! | command | what |
//! |---|---|
//! | `generate N` | writes a snapshot of N items to standard output |
//! | `judge FILE [WORKERS]` | judges a file as `rectify scan` does, and prints time, CPU time and peak memory |
//! | `evaluate N` | evaluates N parsed items on one core, without reading a file |

use std::error::Error;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rectify_compliance::{ConfigurationItem, Entry};
use rectify_scan::judges::{ControlParameters, Judges};
use rectify_scan::snapshot::{self, Found};
use serde_json::Value;

/// Sample events whose items are repeated with other ids; the file name begins with the verdict.
const SAMPLES: [&str; 12] = [
    "restricted-ssh/non-compliant-open-to-the-world.json",
    "restricted-ssh/compliant-https-from-everywhere.json",
    "s3-bucket-ssl-requests-only/compliant-deny-of-http.json",
    "s3-bucket-ssl-requests-only/non-compliant-allow-with-tls.json",
    "ec2-imdsv2-check/compliant-tokens-required.json",
    "rds-instance-deletion-protection-enabled/compliant-protected.json",
    "rds-instance-deletion-protection-enabled/non-compliant-turned-off.json",
    "iam-user-no-policies-check/compliant-groups-only.json",
    "iam-user-no-policies-check/non-compliant-inline-and-attached.json",
    "efs-encrypted-check/compliant-encrypted.json",
    "cloud-trail-log-file-validation-enabled/compliant-validation-on.json",
    "cloud-trail-log-file-validation-enabled/non-compliant-validation-turned-off.json",
];

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["generate", count] => generate(count.parse()?),
        ["judge", file] => judge(file, std::thread::available_parallelism()?),
        ["judge", file, workers] => judge(file, workers.parse()?),
        ["evaluate", count] => evaluate(count.parse()?),
        _ => Err("expected generate N, judge FILE [WORKERS] or evaluate N".into()),
    }
}

/// The items of the samples, as text, with their ids.
fn samples() -> Outcome<Vec<(String, String)>> {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../events");
    let sample = |name: &&str| {
        let path: PathBuf = events.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let event: Value = serde_json::from_str(&text)?;
        let invoking: Value = serde_json::from_str(event["invokingEvent"].as_str().ok_or("no invokingEvent")?)?;
        let item = &invoking["configurationItem"];
        let id = item["resourceId"].as_str().ok_or("no resourceId")?;
        Ok((item.to_string(), id.to_owned()))
    };
    SAMPLES.iter().map(sample).collect()
}

/// The items number 0 to `count`, each of another resource.
fn items(count: usize) -> Outcome<impl Iterator<Item = String>> {
    let samples = samples()?;
    Ok(samples
        .into_iter()
        .cycle()
        .take(count)
        .enumerate()
        .map(|(n, (text, id))| text.replace(&id, &format!("{id}{n}"))))
}

fn generate(count: usize) -> Outcome {
    let mut out = BufWriter::new(std::io::stdout().lock());
    out.write_all(b"{\"fileVersion\":\"1.0\",\"configSnapshotId\":\"measured\",\"configurationItems\":[")?;
    for (n, item) in items(count)?.enumerate() {
        write!(out, "{}{item}", if n == 0 { "" } else { "," })?;
    }
    out.write_all(b"]}")?;
    Ok(out.flush()?)
}

fn judges() -> Outcome<Judges> {
    let controls: Vec<&Entry> = rectify_catalogue::controls().collect();
    Ok(Judges::new(&controls, &ControlParameters::new(), None)?)
}

fn judge(path: &str, workers: NonZeroUsize) -> Outcome {
    let judges = judges()?;
    let input = std::fs::File::open(path)?;
    let bytes = input.metadata()?.len();
    let (began, mut failed) = (Instant::now(), 0_u64);
    let summary = snapshot::judge(path, input, &judges, workers, |found| match found {
        Found::Judged(it) => failed += it.rows.iter().filter(|row| row.outcome.is_failed()).count() as u64,
        Found::Malformed(it) => println!("{it}"),
    })?;
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()?);
    println!(
        "{} items, {} MB, {} judged, {} rows, {failed} failed, {} malformed, {} of other types",
        summary.items,
        bytes / 1_000_000,
        summary.judged,
        summary.rows,
        summary.malformed,
        summary.other_types.values().sum::<u64>(),
    );
    println!("workers {workers}, wall {wall:.2} s, CPU {cpu:.2} s, peak {}", peak()?);
    println!("per second of CPU: {:.0} rows, {:.0} items", summary.rows as f64 / cpu, summary.items as f64 / cpu);
    println!(
        "per second: {:.0} rows, {:.0} items, {:.0} MB",
        summary.rows as f64 / wall,
        summary.items as f64 / wall,
        bytes as f64 / wall / 1e6
    );
    Ok(())
}

/// One judgement is one control about one parsed item: view, verdict, and the plan if it is a finding.
fn evaluate(count: usize) -> Outcome {
    let judges = judges()?;
    let items: Vec<ConfigurationItem> = items(SAMPLES.len())?
        .map(|text| Ok(ConfigurationItem::from_notification(&serde_json::from_str(&text)?)?))
        .collect::<Outcome<_>>()?;
    for item in items.iter().filter(|item| judges.has_type(&item.resource.kind)) {
        let (began, mut rows, mut failed) = (cpu_seconds()?, 0, 0);
        for _ in 0..count / items.len() {
            let found = judges.rows(item);
            failed += found.iter().filter(|row| row.outcome.is_failed()).count();
            rows += found.len();
        }
        let seconds = cpu_seconds()? - began;
        println!(
            "{:28} {rows:8} rows, {failed:7} failed, {:8.0} per second of CPU",
            item.resource.kind,
            rows as f64 / seconds
        );
    }
    let (began, mut rows) = (cpu_seconds()?, 0);
    for item in items.iter().cycle().take(count) {
        rows += judges.rows(item).len();
    }
    let cpu = cpu_seconds()? - began;
    println!("all: {:.0} rows per second of CPU, peak {}", f64::from(u32::try_from(rows)?) / cpu, peak()?);
    Ok(())
}

/// User and system time of the process, in seconds.
fn cpu_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| -> Outcome<f64> { Ok(fields.get(at).ok_or("no time in /proc/self/stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// The largest resident size so far.
fn peak() -> Outcome<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().to_owned())
}
