//! Where a scan goes: accounts, each with its own credentials, and regions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::stream::{self, StreamExt};
use rectify_compliance::{AccountId, Region, nearest};
use rectify_runtime::AwsError;
use rectify_runtime::settings::Environment;
use rectify_scan::Outcome;

use crate::arguments::{Accounts, ScanArguments};
use crate::caller::{Caller, Role};
use crate::cli_error::CliError;

/// How many accounts are entered concurrently.
const CONCURRENCY: usize = 8;

/// The word for every region that an account has enabled.
const ALL: &str = "all";

/// An account, with credentials of its own.
#[derive(Debug)]
pub(super) struct Site {
    /// The account that the credentials belong to.
    pub(super) account: AccountId,
    /// The credentials.
    pub(super) caller: Caller,
    /// The regions to scan, ordered; at least one.
    pub(super) regions: Vec<Region>,
    /// Regions that were requested, and that the account has not enabled.
    disabled: Vec<Region>,
}

/// An account that cannot be scanned.
#[derive(Debug, PartialEq)]
pub(super) struct Unreached {
    /// The account.
    pub(super) account: AccountId,
    /// Why.
    pub(super) outcome: Outcome,
}

/// The accounts of a scan.
#[derive(Debug)]
pub(super) struct Sites {
    /// Those with credentials, ordered by account.
    pub(super) reached: Vec<Site>,
    /// The others, ordered by account.
    pub(super) unreached: Vec<Unreached>,
    /// The home region of the partition.
    pub(super) home: Region,
}

impl Sites {
    /// Which regions were left out, and of which accounts: a line for each list of regions.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut lists: BTreeMap<&[Region], Vec<&str>> = BTreeMap::new();
        for site in self.reached.iter().filter(|it| !it.disabled.is_empty()) {
            lists.entry(&site.disabled).or_default().push(site.account.as_str());
        }
        let line = |(regions, accounts): (&[Region], Vec<&str>)| {
            let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
            format!("not enabled in account {}, so not scanned: {}", accounts.join(", "), regions.join(", "))
        };
        lists.into_iter().map(line).collect()
    }
}

/// Which regions are requested.
#[derive(Debug)]
enum Wanted {
    /// Every region that the account has enabled.
    All,
    /// These, ordered, each once.
    These(BTreeSet<Region>),
}

/// Why the regions of an account are not known.
#[derive(Debug)]
enum NoRegions {
    /// They could not be listed.
    Unlisted(AwsError),
    /// The partition has no region of this name.
    Unknown(Region, Option<String>),
    /// None of the requested ones is enabled.
    Disabled(Vec<Region>),
}

/// The accounts and regions of the arguments: by default the account of the credentials in their region.
///
/// # Errors
/// [`CliError`] if the credentials or the arguments are unusable. An account of several that cannot be entered is
/// [`Unreached`].
pub(super) async fn sites(arguments: &ScanArguments, environment: &Environment) -> Result<Sites, CliError> {
    let caller = Caller::new(first(&arguments.region), environment).await?;
    let wanted = wanted(&arguments.region, caller.region())?;
    let home = caller.region().default_home_region();
    let Some(accounts) = &arguments.accounts else {
        let caller = match &arguments.role_arn {
            None => caller,
            Some(arn) => assumed(&caller, arn, arguments.external_id.as_deref()).await?,
        };
        if let Some(account) = &arguments.account {
            caller.expect_account(&AccountId::new(account)).await?;
        }
        return only(caller.patient(environment), &wanted, home).await;
    };
    caller.identity().await?;
    let caller = caller.patient(environment);
    let accounts = match accounts {
        Accounts::Organization => active(caller.organization().await)?,
        Accounts::File(path) => listed(path)?,
    };
    let name = arguments.role_name.as_deref().unwrap_or_default();
    let enter = |account| enter(&caller, account, name, arguments.external_id.as_deref(), &wanted);
    let entered: Vec<_> = stream::iter(accounts.into_iter().map(enter)).buffered(CONCURRENCY).collect().await;
    let (mut reached, mut unreached) = (Vec::new(), Vec::new());
    for site in entered {
        match site? {
            Ok(site) => reached.push(site),
            Err(site) => unreached.push(site),
        }
    }
    Ok(Sites { reached, unreached, home })
}

/// The region that resolves the credentials; `all` names none.
pub(super) fn first(regions: &[String]) -> Option<&str> {
    regions.first().map(String::as_str).filter(|it| *it != ALL)
}

fn wanted(regions: &[String], default: &Region) -> Result<Wanted, CliError> {
    match regions {
        [] => Ok(Wanted::These([default.clone()].into())),
        [only] if only == ALL => Ok(Wanted::All),
        several if several.iter().any(|it| it == ALL) => {
            Err(CliError::usage("--region: expected either `all` or the codes of regions: received both"))
        }
        several => Ok(Wanted::These(several.iter().map(Region::new).collect())),
    }
}

async fn assumed(caller: &Caller, arn: &str, external_id: Option<&str>) -> Result<Caller, CliError> {
    caller.identity().await?;
    caller.assume(Role::new(arn, external_id)).await.map_err(|error| {
        let brief = error.brief();
        CliError::usage(format!(
            "--role-arn: {arn}: {brief}: check the role's name, its trust policy, its external id, and your right to assume it"
        ))
    })
}

/// The one account of a scan: what is wrong with it is an error.
async fn only(caller: Caller, wanted: &Wanted, home: Region) -> Result<Sites, CliError> {
    // The listing fails for the reason for which the credentials are unusable, which the second call explains.
    let listed = caller.regions().await;
    let chosen = choose(wanted, listed);
    if let Err(NoRegions::Unknown(region, nearest)) = &chosen {
        return Err(unknown(region, nearest.as_deref()));
    }
    let account = caller.identity().await?.account.clone();
    let refused = |regions: &[Region]| {
        let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
        CliError::usage(format!(
            "--region: account {account} has not enabled {}: enable it in the account's settings, or leave it out",
            regions.join(", ")
        ))
    };
    match chosen {
        Ok((_, disabled)) if matches!(wanted, Wanted::These(_)) && !disabled.is_empty() => Err(refused(&disabled)),
        Ok((regions, disabled)) => {
            let site = Site { account: account.clone(), caller, regions, disabled };
            Ok(Sites { reached: vec![site], unreached: Vec::new(), home })
        }
        Err(NoRegions::Disabled(regions)) => Err(refused(&regions)),
        Err(NoRegions::Unknown(region, nearest)) => Err(unknown(&region, nearest.as_deref())),
        Err(NoRegions::Unlisted(error)) => {
            Err(CliError::usage(format!("--region all: {}: name the regions instead", error.brief())))
        }
    }
}

/// One account of several: only an unknown region is an error.
async fn enter(
    caller: &Caller,
    account: AccountId,
    role: &str,
    external_id: Option<&str>,
    wanted: &Wanted,
) -> Result<Result<Site, Unreached>, CliError> {
    let unreadable = |error: &AwsError| Outcome::Unreadable { reason: error.brief() };
    let caller = if caller.identity().await?.account == account {
        caller.clone()
    } else {
        let arn = format!("arn:{}:iam::{account}:role/{role}", caller.region().partition().as_str());
        match caller.assume(Role::new(&arn, external_id)).await {
            Ok(caller) => caller,
            Err(error) => return Ok(Err(Unreached { account, outcome: unreadable(&error) })),
        }
    };
    let outcome = match choose(wanted, caller.regions().await) {
        Ok((regions, disabled)) => return Ok(Ok(Site { account, caller, regions, disabled })),
        Err(NoRegions::Unknown(region, nearest)) => return Err(unknown(&region, nearest.as_deref())),
        Err(NoRegions::Unlisted(error)) => unreadable(&error),
        Err(NoRegions::Disabled(regions)) => {
            let regions: Vec<&str> = regions.iter().map(Region::as_str).collect();
            Outcome::NotScanned { reason: format!("the account has not enabled {}", regions.join(", ")) }
        }
    };
    Ok(Err(Unreached { account, outcome }))
}

fn unknown(region: &Region, nearest: Option<&str>) -> CliError {
    let nearest = nearest.map_or_else(String::new, |it| format!(": did you mean `{it}`?"));
    CliError::usage(format!("--region: expected a region of this partition: received `{region}`{nearest}"))
}

/// The regions to scan, and those that the account has not enabled. Named regions do not depend on the listing, which
/// the credentials may not be allowed to make.
fn choose(
    wanted: &Wanted,
    listed: Result<BTreeMap<Region, bool>, AwsError>,
) -> Result<(Vec<Region>, Vec<Region>), NoRegions> {
    let listed = match (wanted, listed) {
        (_, Ok(listed)) => listed,
        (Wanted::All, Err(error)) => return Err(NoRegions::Unlisted(error)),
        (Wanted::These(regions), Err(_)) => return Ok((regions.iter().cloned().collect(), Vec::new())),
    };
    let requested: Vec<(Region, bool)> = match wanted {
        Wanted::All => listed.into_iter().collect(),
        Wanted::These(regions) => {
            let state = |region: &Region| -> Result<(Region, bool), NoRegions> {
                let names = || nearest(region.as_str(), listed.keys().map(Region::as_str)).map(str::to_owned);
                let is_enabled = listed.get(region).ok_or_else(|| NoRegions::Unknown(region.clone(), names()))?;
                Ok((region.clone(), *is_enabled))
            };
            regions.iter().map(state).collect::<Result<_, NoRegions>>()?
        }
    };
    let (enabled, disabled): (Vec<_>, Vec<_>) = requested.into_iter().partition(|(_, is_enabled)| *is_enabled);
    let names = |regions: Vec<(Region, bool)>| regions.into_iter().map(|(region, _)| region).collect::<Vec<_>>();
    if enabled.is_empty() { Err(NoRegions::Disabled(names(disabled))) } else { Ok((names(enabled), names(disabled))) }
}

/// The accounts of the organization. None at all is not an account without findings.
fn active(listed: Result<BTreeSet<AccountId>, AwsError>) -> Result<BTreeSet<AccountId>, CliError> {
    let why = match listed {
        Ok(accounts) if !accounts.is_empty() => return Ok(accounts),
        Ok(_) => "expected an active account: received none".to_owned(),
        Err(error) => error.brief(),
    };
    Err(CliError::usage(format!(
        "--accounts organization: {why}: use credentials of the management account or a delegated administrator, or --accounts FILE"
    )))
}

/// The accounts of a file: an id a line, ordered, each once. A `#` begins a comment.
fn listed(path: &Path) -> Result<BTreeSet<AccountId>, CliError> {
    let wrong = |why: String| CliError::usage(format!("--accounts: {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let accounts = accounts(&text).map_err(wrong)?;
    if accounts.is_empty() {
        Err(wrong("expected an account id a line: received none".to_owned()))
    } else {
        Ok(accounts)
    }
}

fn accounts(text: &str) -> Result<BTreeSet<AccountId>, String> {
    let lines = text.lines().zip(1..).map(|(line, number)| (line.split('#').next().unwrap_or_default().trim(), number));
    let account = |(line, number): (&str, usize)| {
        let wrong = || format!("line {number}: expected 12 digits: received `{}`", line.escape_debug());
        AccountId::is_id(line).then(|| AccountId::new(line)).ok_or_else(wrong)
    };
    lines.filter(|(line, _)| !line.is_empty()).map(account).collect()
}

#[cfg(test)]
#[path = "sites_tests.rs"]
mod tests;
