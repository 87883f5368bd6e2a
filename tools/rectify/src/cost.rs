//! `rectify cost`: what AWS charges in a month for the controls, as docs/cost.md explains.
//!
//! Only what grows with the resources is computed: the evaluations of AWS Config, which are nearly all of it, and the
//! invocations of the rules.

use std::collections::BTreeMap;

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{Frequency, Scope};
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::settings::Environment;
use rectify_synth::{Selected, Settings};
use serde_json::json;

use crate::arguments::CostArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::doctor;
use crate::report::{Report, columns};

/// The prices of a month in us-east-1, USD (aws.amazon.com/config/pricing, /lambda/pricing and /cloudwatch/pricing, read
/// 2026-11-30): the evaluations of a region up to a number, and the price of each.
const EVALUATIONS: [(f64, f64); 3] = [(100_000.0, 0.001), (500_000.0, 0.0008), (f64::INFINITY, 0.0005)];
/// An invocation: the request, 128 MB for 300 ms, and a line of 1 KB in CloudWatch Logs.
const INVOCATION: f64 = 0.20 / 1e6 + 0.125 * 0.3 * 0.000_016_666_7 + 0.50 * 1e-6;

const HOURS: f64 = 30.0 * 24.0;
/// A sweep reports an unchanged result again if it is as old as this many hours; the second is that of a finding.
const STANDS: (f64, f64) = (6.0 * 24.0, 12.0);

/// A mix of a thousand resources: how many there are of a type, and how often each changes in a month.
const MIX: [(&str, f64, f64); 22] = [
    ("AWS::EC2::NetworkInterface", 200.0, 3.0),
    ("AWS::Logs::LogGroup", 200.0, 0.5),
    ("AWS::EC2::Volume", 120.0, 3.0),
    ("AWS::EC2::Instance", 80.0, 2.0),
    ("AWS::EC2::SecurityGroup", 60.0, 1.0),
    ("AWS::CloudFormation::Stack", 60.0, 1.0),
    ("AWS::S3::Bucket", 50.0, 0.5),
    ("AWS::Lambda::Function", 50.0, 4.0),
    ("AWS::EC2::Subnet", 30.0, 0.1),
    ("AWS::KMS::Key", 25.0, 0.1),
    ("AWS::IAM::User", 20.0, 1.0),
    ("AWS::IAM::Policy", 20.0, 0.5),
    ("AWS::RDS::DBInstance", 20.0, 1.0),
    ("AWS::SNS::Topic", 15.0, 0.1),
    ("AWS::SQS::Queue", 15.0, 0.1),
    ("AWS::DynamoDB::Table", 10.0, 0.5),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 8.0, 1.0),
    ("AWS::EC2::VPC", 5.0, 0.1),
    ("AWS::EC2::NetworkAcl", 5.0, 0.1),
    ("AWS::RDS::DBCluster", 3.0, 1.0),
    ("AWS::EFS::FileSystem", 3.0, 0.1),
    ("AWS::CloudTrail::Trail", 1.0, 0.1),
];

/// How many resources of a type there are, and how often each changes in a month.
type Counts = BTreeMap<String, (f64, f64)>;

/// The evaluations of one region in a month, and the invocations that make them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Month {
    /// Evaluations of changed resources.
    changes: f64,
    /// Unchanged results that sweeps report again.
    again: f64,
    /// What sweeps would report if each reported every result.
    unfiltered: f64,
    invocations: f64,
}

impl Month {
    /// The month of the deployed controls, with this share of findings; in a home region, also those of global resources.
    fn of(settings: &Settings, counts: &Counts, findings: f64, is_home: bool) -> Self {
        let mut month = Self::default();
        for selected in settings.deployed() {
            if is_home || selected.control.meta.scope == Scope::Regional {
                month.add(selected, counts, findings);
            }
        }
        month
    }

    fn add(&mut self, selected: &Selected, counts: &Counts, findings: f64) {
        let meta = selected.control.meta;
        let of_type = |kind: &&str| if *kind == ACCOUNT_TYPE { Some((1.0, 0.0)) } else { counts.get(*kind).copied() };
        let all: Vec<(f64, f64)> = meta.resource_types.iter().filter_map(of_type).collect();
        let resources: f64 = all.iter().map(|(count, _)| count).sum();
        let changes: f64 = all.iter().map(|(count, changes)| count * changes).sum();
        if meta.on_change() {
            self.changes += changes;
            self.invocations += changes;
        }
        if let Some(frequency) = selected.every {
            let between = hours(frequency);
            let sweeps = HOURS / between;
            // Results are as old as a whole number of sweeps, less the time to store them.
            let again = |stands: f64| HOURS / (((stands / between).floor() + 1.0) * between);
            self.again += resources * ((1.0 - findings) * again(STANDS.0) + findings * again(STANDS.1));
            self.unfiltered += resources * sweeps;
            self.invocations += sweeps;
            // A verdict that a sweep finds changed; a control with both triggers has counted it.
            if !meta.on_change() {
                self.changes += changes.min(resources * sweeps);
            }
        }
    }

    fn evaluations(self) -> f64 {
        self.changes + self.again
    }

    fn usd(self) -> f64 {
        price(self.evaluations()) + self.invocations * INVOCATION
    }
}

const fn hours(frequency: Frequency) -> f64 {
    match frequency {
        Frequency::OneHour => 1.0,
        Frequency::ThreeHours => 3.0,
        Frequency::SixHours => 6.0,
        Frequency::TwelveHours => 12.0,
        Frequency::TwentyFourHours => 24.0,
    }
}

/// The price of the evaluations of one region in a month.
fn price(evaluations: f64) -> f64 {
    let (mut from, mut usd) = (0.0, 0.0);
    for (to, each) in EVALUATIONS {
        usd += (evaluations.min(to) - from).max(0.0) * each;
        from = to;
    }
    usd
}

fn mix(resources: u32) -> Counts {
    let of = |(kind, count, changes): &(&str, f64, f64)| {
        ((*kind).to_owned(), (count * f64::from(resources) / 1000.0, *changes))
    };
    MIX.iter().map(of).collect()
}

/// Computes the month of the given counts, or of what AWS Config has discovered.
///
/// # Errors
/// [`CliError`] when the settings are invalid, no region or no credentials are given, or AWS Config cannot be read.
pub(crate) async fn run(arguments: &CostArguments, environment: &Environment) -> Result<Report, CliError> {
    let text = arguments.settings.as_deref().map(doctor::read).transpose()?;
    let settings = doctor::settings(&text.unwrap_or_default())?;
    let counts = match arguments.resources {
        Some(resources) => mix(resources),
        None => discovered(arguments, environment).await?,
    };
    Ok(report(&settings, &counts, arguments))
}

async fn discovered(arguments: &CostArguments, environment: &Environment) -> Result<Counts, CliError> {
    let caller = Caller::new(arguments.region.as_deref(), environment).await?;
    let counts = ConfigService::new(caller.config()).counts().await?;
    let changes = |kind: &str| MIX.iter().find(|(known, ..)| *known == kind).map_or(1.0, |(_, _, changes)| *changes);
    #[allow(clippy::cast_precision_loss)] // no account has 2^52 resources
    let of = |(kind, count): (String, u64)| (kind.clone(), (count as f64, changes(&kind)));
    Ok(counts.into_iter().map(of).collect())
}

fn report(settings: &Settings, counts: &Counts, arguments: &CostArguments) -> Report {
    let findings = f64::from(arguments.findings) / 100.0;
    let [home, other] = [true, false].map(|is_home| Month::of(settings, counts, findings, is_home));
    let (accounts, others) = (f64::from(arguments.accounts), f64::from(arguments.regions - 1));
    let total = accounts * (home.usd() + others * other.usd());
    let row = |name: &str, it: Month| {
        vec![
            name.to_owned(),
            format!("{:.0}", it.changes),
            format!("{:.0}", it.again),
            format!("{:.0}", it.unfiltered),
            format!("{:.2}", it.usd()),
        ]
    };
    let header = ["A MONTH", "CHANGES", "AGAIN", "UNFILTERED", "USD"].map(str::to_owned).to_vec();
    let mut rows = vec![row("home region", home)];
    if arguments.regions > 1 {
        rows.push(row("each other region", other));
    }
    let mut text = columns(header, rows);
    text.push_str(&format!(
        "{total:.2} USD a month at the prices of us-east-1, accounts: {}, regions: {}; see docs/cost.md for what is not counted\n",
        arguments.accounts, arguments.regions
    ));
    let month = |it: Month| {
        json!({"changes": it.changes.round(), "again": it.again.round(), "unfiltered": it.unfiltered.round(),
               "invocations": it.invocations.round(), "usd": cents(it.usd())})
    };
    let json = json!({"home": month(home), "other": month(other), "accounts": arguments.accounts,
                      "regions": arguments.regions, "usd": cents(total)});
    Report::fine(text, json)
}

fn cents(usd: f64) -> f64 {
    (usd * 100.0).round() / 100.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_are_priced_by_tier() {
        for (evaluations, usd) in
            [(0.0, 0.0), (1_000.0, 1.0), (100_000.0, 100.0), (500_000.0, 420.0), (600_000.0, 470.0)]
        {
            assert!((price(evaluations) - usd).abs() < 1e-6, "{evaluations}: {}", price(evaluations));
        }
    }

    /// The month of the only control that this file deploys.
    fn only(control: &str, findings: f64) -> [f64; 3] {
        let settings = doctor::settings(&format!("mode: \"off\"\ncontrols: {{{control}}}")).unwrap();
        let month = Month::of(&settings, &mix(1_000), findings, true);
        [month.changes, month.again, month.unfiltered].map(f64::round)
    }

    #[test]
    fn a_control_costs_its_changes_and_its_unchanged_results_again_on_the_schedule_of_the_file() {
        // 60 groups that change once; a daily sweep, or one every hour.
        assert_eq!(only("restricted-ssh: plan", 0.0), [60.0, 257.0, 1_800.0]);
        assert_eq!(only("restricted-ssh: {mode: plan, every: 1h}", 0.0), [60.0, 298.0, 43_200.0]);
        // Six of them are findings: sent every day, or every 13 hours.
        assert_eq!(only("restricted-ssh: plan", 0.1), [60.0, 411.0, 1_800.0]);
        assert_eq!(only("restricted-ssh: {mode: plan, every: 1h}", 0.1), [60.0, 600.0, 43_200.0]);
        // One result about the account, every hour.
        assert_eq!(only("config-recorder-healthy: observe", 0.0), [0.0, 5.0, 720.0]);
        assert_eq!(only("", 0.1), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn mix_is_of_a_thousand_and_global_controls_count_at_home_only() {
        let sum: f64 = MIX.iter().map(|(_, count, _)| count).sum();
        assert!((sum - 1_000.0).abs() < 1e-9, "{sum}");
        let [home, other] = [true, false].map(|is_home| Month::of(&all(), &mix(1_000), 0.1, is_home));
        assert!(home.evaluations() > other.evaluations());
        for (regions, is_listed) in [(1, false), (4, true)] {
            let arguments = arguments(2, regions);
            let report = report(&all(), &mix(1_000), &arguments);
            assert_eq!(report.text.contains("each other region"), is_listed, "{}", report.text);
            let usd = cents(2.0 * (home.usd() + f64::from(regions - 1) * other.usd()));
            assert_eq!(report.json["usd"], json!(usd));
        }
    }

    fn arguments(accounts: u32, regions: u32) -> CostArguments {
        CostArguments { resources: None, findings: 10, settings: None, accounts, regions, region: None }
    }

    /// Every control.
    fn all() -> Settings {
        doctor::settings("").unwrap()
    }

    /// The cells of the rows of docs/cost.md that begin with this cell and have this many.
    fn documented(first: &str, cells: usize) -> Vec<f64> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cost.md");
        let text = std::fs::read_to_string(path).unwrap();
        let rows = text.lines().map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
        let row = rows.filter(|row| row.len() == cells && row[0] == first).collect::<Vec<_>>();
        assert_eq!(row.len(), 1, "docs/cost.md: one row of {cells} cells begins with {first}: {row:?}");
        row[0][1..].iter().map(|it| it.parse().unwrap()).collect()
    }

    fn assert_close(name: &str, documented: &[f64], computed: &[f64]) {
        assert_eq!(documented.len(), computed.len(), "{name}");
        for (said, is) in documented.iter().zip(computed) {
            // A new control changes them a little.
            assert!(
                (said - is).abs() <= 0.15 * is,
                "docs/cost.md: {name}: {documented:?}, expected about {computed:?}"
            );
        }
    }

    #[test]
    fn documented_numbers_are_computed() {
        for resources in [100, 1_000, 10_000] {
            let name = resources.to_string();
            let home = Month::of(&all(), &mix(resources), 0.1, true);
            let unfiltered = price(home.changes + home.unfiltered) + home.invocations * INVOCATION;
            let computed = [home.changes, home.again, home.usd(), home.unfiltered, unfiltered];
            assert_close(&name, &documented(&name, 6), &computed);
            let arguments = arguments(50, 4);
            let json = report(&all(), &mix(resources), &arguments).json;
            assert_close(&name, &documented(&name, 2), &[json["usd"].as_f64().unwrap()]);
        }
        for (kind, count, changes) in MIX {
            assert_eq!(documented(kind, 3), [count, changes], "{kind}");
        }
    }
}
