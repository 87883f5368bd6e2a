//! The arguments of `cost`.

use std::path::PathBuf;

use clap::Args;

pub(crate) const EXAMPLES: &str = "\
Examples:
  rectify cost --resources 1000                               of a mix of a thousand resources
  rectify cost --resources 1000 --settings rectify.yaml       of the controls and schedules in this file
  rectify cost --resources 10000 --accounts 50 --regions 4    of each account and region
  rectify cost                                                of what AWS Config has discovered in this region";

/// Arguments of `cost`.
#[derive(Debug, Args)]
pub(crate) struct CostArguments {
    /// The resources of one account and region, of the mix in docs/cost.md; default: those that AWS Config has discovered.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) resources: Option<u32>,
    /// How many of a hundred results are findings; they are reported each day.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) findings: u8,
    /// The rectify.yaml whose controls count, each on its schedule; default: every control.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The number of accounts.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) accounts: u32,
    /// The number of regions, among them the home region.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) regions: u32,
    /// The region in which AWS Config is read; default: AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
}
