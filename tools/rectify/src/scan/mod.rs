//! `rectify scan`: every resource of an account, evaluated with the operator's credentials. Writes nothing to AWS.
//!
//! A call that fails is a row of the result: never a pass, and never the end of the scan.

mod aggregator;
mod earlier;
mod output;
mod recorded;
mod selection;
mod sites;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use aws_types::SdkConfig;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use rectify_catalogue::service;
use rectify_compliance::values::Globs;
use rectify_compliance::{AccountId, Region, ResourceKey, Scope, Timestamp};
use rectify_runtime::client::AccountRegion;
use rectify_runtime::operations::{ALL, Operations, Planned, Scanned, Unknown};
use rectify_runtime::settings::Environment;
use rectify_runtime::shared_reads::SharedReads;
use rectify_runtime::{AwsError, Error};
use rectify_scan::result::{LIVE, SCHEMA_VERSION};
use rectify_scan::{Outcome, Place, PlanView, Row, Scan};
use tokio::sync::Semaphore;

use crate::arguments::ScanArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::offline;
use crate::report::Report;
use crate::style::Style;
use selection::Job;
use sites::{Site, Sites, Unreached};

/// How many controls are scanned concurrently, in all accounts and regions.
const CONCURRENCY: usize = 32;

/// How many of them call one service of an account in a region, which limits its callers together.
const CONCURRENCY_PER_API: usize = 4;

/// Scans, writes the files, and reports.
///
/// # Errors
/// [`CliError::Scan`], whose exit code is that of a scan that did not finish.
pub(crate) async fn run(
    arguments: &ScanArguments,
    environment: &Environment,
    style: Style,
) -> Result<Report, CliError> {
    let done = async {
        // Read before any report is written: one may go to the same file.
        let earlier = arguments.changed_since.as_deref().map(earlier::read).transpose()?;
        output::prepare(&arguments.output)?;
        let mut scan = scan(arguments, environment).await?;
        scan.since = earlier.map(|it| it.changes(&scan, resources(arguments).as_ref())).transpose()?;
        output::report(&scan, arguments, style)
    };
    done.await.map_err(|error: CliError| CliError::Scan(Box::new(error)))
}

/// The scan of recorded items: files, which call nothing, or what an aggregator has.
async fn recorded(arguments: &ScanArguments, environment: &Environment) -> Result<Scan, CliError> {
    // A control is in the list once: items say where their resources are.
    let jobs = selection::jobs(arguments, &[Region::new("us-east-1")])?;
    let controls: Vec<_> = jobs.iter().map(|job| job.control).collect();
    let parameters = jobs.iter().map(|job| (job.control.meta.id.to_owned(), job.parameters.clone())).collect();
    let mut scan = if let Some(name) = arguments.aggregator.as_deref() {
        let caller = Caller::new(sites::first(&arguments.region), environment).await?;
        aggregator::scan(name, caller.config(), &parameters, &controls).await?
    } else if arguments.event.is_empty() {
        offline::scan_snapshot(&arguments.config_snapshot, &parameters, &controls)?
    } else {
        offline::scan_events(&arguments.event, &parameters, &controls)?
    };
    if let Some(resources) = resources(arguments) {
        scan.rows.retain(|row| is_selected(row, &resources));
    }
    Ok(scan)
}

/// The scan of templates and plans; it calls nothing.
fn declared(arguments: &ScanArguments) -> Result<Scan, CliError> {
    if arguments.region.len() > 1 {
        return Err(CliError::usage("--region: expected one region for a template: received several"));
    }
    let target = template::target(arguments.region.first().map(String::as_str), arguments.account.as_deref());
    let jobs = selection::jobs(arguments, std::slice::from_ref(&target.region))?;
    let mut scan = template::scan(arguments, &jobs, &target)?;
    if let Some(resources) = resources(arguments) {
        // What cannot be read may be any resource.
        scan.rows.retain(|row| row.control == ALL || is_selected(row, &resources));
    }
    Ok(scan)
}

/// The pattern of `--resource`.
fn resources(arguments: &ScanArguments) -> Option<Globs> {
    arguments.resource.as_deref().map(Globs::single)
}

/// A row about all resources is about the selected ones, too.
fn is_selected(row: &Row, resources: &Globs) -> bool {
    row.resource_id == ALL
        || resources.matches(&row.resource_id)
        || row.name.as_deref().is_some_and(|name| resources.matches(name))
}

async fn scan(arguments: &ScanArguments, environment: &Environment) -> Result<Scan, CliError> {
    if !arguments.cloudformation.is_empty() || !arguments.terraform_plan.is_empty() {
        return declared(arguments);
    }
    if arguments.aggregator.is_some() || !arguments.config_snapshot.is_empty() || !arguments.event.is_empty() {
        return recorded(arguments, environment).await;
    }
    let started = Timestamp::now();
    let selected = selection::selected(arguments)?;
    let sites = sites::sites(arguments, environment).await?;
    for note in sites.notes() {
        // A note that cannot be written is not worth the scan.
        drop(writeln!(std::io::stderr(), "{note}"));
    }
    let resources = resources(arguments);
    let wanted = |resource: &ResourceKey, name: Option<&str>| {
        resources.as_ref().is_none_or(|it| it.matches(&resource.id) || name.is_some_and(|name| it.matches(name)))
    };
    let mut regions: Vec<Region> = sites.reached.iter().flat_map(|site| site.regions.clone()).collect();
    regions.sort();
    regions.dedup();
    let somewhere = if regions.is_empty() { vec![sites.home.clone()] } else { regions };
    let jobs = selection::jobs_in(&selected, &somewhere)?;
    // One configuration per account and region: what several controls read is read once, and never in another account.
    let mut configs: BTreeMap<(&AccountId, &Region), SdkConfig> = BTreeMap::new();
    for site in &sites.reached {
        let reads = SharedReads::default();
        for job in &jobs {
            let config = || reads.over(&site.caller.config_in(&job.region));
            configs.entry((&site.account, &job.region)).or_insert_with(config);
        }
    }
    let operations: BTreeMap<&str, Operations> =
        rectify_catalogue_lambda::operations().map(|it| (it.id(), it)).collect();
    let groups = by_api(&sites.reached, &jobs);
    let bar = progress(groups.values().map(Vec::len).sum());
    let limit = Semaphore::new(CONCURRENCY);
    let scans = groups.values().map(|tasks| {
        let scans = tasks.iter().map(|(site, job)| {
            let (operations, bar, limit, wanted) = (operations.get(job.control.meta.id), &bar, &limit, &wanted);
            let config = configs.get(&(&site.account, &job.region));
            async move {
                // The semaphore is never closed.
                let _permit = limit.acquire().await;
                bar.set_message(job.control.meta.id);
                let rows = match config {
                    Some(config) => rows(job, operations, site, config, wanted).await,
                    None => Vec::new(),
                };
                bar.inc(1);
                (job.at, rows)
            }
        });
        stream::iter(scans.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY_PER_API).collect::<Vec<_>>()
    });
    let found = join_all(scans.collect::<Vec<_>>()).await.into_iter().flatten();
    bar.finish_and_clear();
    let found = found.chain(unreached(&sites, &jobs));
    let mut rows: Vec<(usize, Row)> = found.flat_map(|(at, rows)| rows.into_iter().map(move |row| (at, row))).collect();
    rows.sort_by(|(one, a), (other, b)| (one, key(a)).cmp(&(other, key(b))));
    let mut controls: Vec<String> = jobs.iter().map(|job| job.control.meta.id.to_owned()).collect();
    controls.dedup();
    let places: BTreeSet<Place> =
        groups.values().flatten().map(|(site, job)| place_of(&site.account, &job.region)).collect();
    Ok(Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now(),
        source: LIVE.to_owned(),
        places: places.into_iter().collect(),
        controls,
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        since: None,
    })
}

/// Jobs by account, region and service.
type Groups<'a> = BTreeMap<(&'a AccountId, &'a Region, &'static str), Vec<(&'a Site, &'a Job)>>;

/// The jobs of each account by the API whose limits they share: a service in a region.
fn by_api<'a>(sites: &'a [Site], jobs: &'a [Job]) -> Groups<'a> {
    let mut groups = Groups::new();
    for site in sites {
        let is_here = |job: &&Job| job.control.meta.scope == Scope::Global || site.regions.contains(&job.region);
        for job in jobs.iter().filter(is_here) {
            groups.entry((&site.account, &job.region, service(job.control))).or_default().push((site, job));
        }
    }
    groups
}

/// For each account that cannot be scanned, a row for each control: without it, the control would seem to pass.
fn unreached(sites: &Sites, jobs: &[Job]) -> Vec<(usize, Vec<Row>)> {
    let mut controls: Vec<&Job> = jobs.iter().collect();
    controls.dedup_by_key(|job| job.at);
    let rows = |job: &Job| {
        let row = |it: &Unreached| {
            let place = AccountRegion { account: it.account.clone(), region: sites.home.clone() };
            row(job, &place, whole(job), it.outcome.clone())
        };
        (job.at, sites.unreached.iter().map(row).collect())
    };
    controls.into_iter().map(rows).collect()
}

/// All resources of a control.
fn whole(job: &Job) -> ResourceKey {
    let kind = if let [only] = job.control.meta.resource_types { only } else { ALL };
    ResourceKey::new(kind, ALL)
}

/// The rows of one control in one region.
async fn rows(
    job: &Job,
    operations: Option<&Operations>,
    site: &Site,
    config: &SdkConfig,
    wanted: impl Fn(&ResourceKey, Option<&str>) -> bool,
) -> Vec<Row> {
    let place = AccountRegion { account: site.account.clone(), region: job.region.clone() };
    let Some(operations) = operations else { return recorded::rows(job, &place, config, wanted).await };
    match operations.scan(config, &place, &job.parameters, wanted).await {
        Ok(scanned) => scanned.into_iter().map(|it| row_of(job, &place, it)).collect(),
        Err(error) => vec![row(job, &place, whole(job), Outcome::Unreadable { reason: brief(&error) })],
    }
}

fn row_of(job: &Job, place: &AccountRegion, scanned: Scanned) -> Row {
    let Scanned { resource, name, arn, result } = scanned;
    let outcome = match result {
        Ok((verdict, planned)) => {
            let view =
                |it: Planned| PlanView::of_finding(job.control, &it.state, &it.plan).in_region(place.region.as_str());
            Outcome::of(&verdict, planned.map(view))
        }
        Err(Unknown::Unreadable(error)) => Outcome::Unreadable { reason: brief(&error) },
        Err(Unknown::NotListed(reason)) => Outcome::NotScanned { reason },
    };
    let name = name.filter(|it| *it != resource.id);
    Row { name, arn, ..row(job, place, resource, outcome) }
}

fn row(job: &Job, place: &AccountRegion, resource: ResourceKey, outcome: Outcome) -> Row {
    Row {
        control: job.control.meta.id.to_owned(),
        place: place_of(&place.account, &place.region),
        resource_type: resource.kind,
        resource_id: resource.id,
        name: None,
        arn: None,
        source: None,
        outcome,
    }
}

fn place_of(account: &AccountId, region: &Region) -> Place {
    Place { account: account.to_string(), region: region.to_string() }
}

/// The order of the rows of one control.
fn key(row: &Row) -> (&Place, &str, &str) {
    (&row.place, &row.resource_type, &row.resource_id)
}

/// The call and its error code; the message, which may be long, only where no service answered.
fn brief(error: &Error) -> String {
    match error {
        Error::Aws(AwsError::Call(call)) if call.status.is_none() => call.to_string(),
        Error::Aws(error) => error.brief(),
        other => other.to_string(),
    }
}

/// Progress on standard error; hidden unless that is a terminal.
pub(crate) fn progress(jobs: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(jobs).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar
}
