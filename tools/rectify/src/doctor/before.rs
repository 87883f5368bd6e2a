//! What a deployment needs of an account and region.

use rectify_runtime::settings::Environment;

use super::client::{Aws, Quota};
use super::{Check, recorders, text};
use crate::arguments::LedgerArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;

/// AWS Config rules of an account and region (AWS Config quotas, read 2026-11).
const RULES_QUOTA: u64 = 1_000;
/// Lambda keeps at least this concurrency without a reservation, and a small account may have no more in all; findings
/// arrive in bursts.
const CONCURRENCY: u64 = 20;

/// How many of these the templates have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needed {
    rules: u64,
    roles: u64,
}

/// The checks for what this `rectify.yaml` deploys.
///
/// # Errors
/// [`CliError::Usage`] for an invalid file; [`CliError`] without credentials.
pub(super) async fn checks(
    file: &str,
    arguments: &LedgerArguments,
    environment: &Environment,
) -> Result<Vec<Check>, CliError> {
    let templates = rectify_synth::synth(file, &[]).map_err(|error| CliError::Usage(error.to_string()))?;
    let needed =
        needed(templates.iter().filter(|(path, _)| *path != rectify_synth::MEMBER).map(|(_, text)| text.as_str()));
    let caller = Caller::new(arguments.region.as_deref(), environment).await?;
    let aws = Aws::new(caller.config());
    let prefix = &arguments.prefix;
    let existing = aws.rules("").await.map_err(text);
    let names = existing.map(|rules| {
        let own = rules.iter().filter(|it| it.name.starts_with(prefix)).count();
        (as_number(rules.len()), as_number(own))
    });
    Ok(vec![
        Check { name: "recorder", result: aws.recorders().await.map_err(text).and_then(|it| recorders(&it)) },
        Check { name: "channel", result: aws.channels().await.map_err(text).and_then(|it| channel(&it)) },
        Check { name: "rules", result: names.and_then(|(used, own)| rules(used, own, prefix, needed.rules)) },
        Check { name: "roles", result: aws.roles().await.map_err(text).and_then(|it| roles(it, needed.roles)) },
        Check { name: "functions", result: aws.unreserved_concurrency().await.map_err(text).and_then(concurrency) },
    ])
}

fn as_number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Counts the resources of all templates; those of the home region too, so this is the most that a region gets.
fn needed<'a>(templates: impl Iterator<Item = &'a str>) -> Needed {
    let mut needed = Needed { rules: 0, roles: 0 };
    for line in templates.flat_map(str::lines) {
        match line.strip_prefix("    Type: ") {
            Some("AWS::Config::ConfigRule") => needed.rules += 1,
            Some("AWS::IAM::Role") => needed.roles += 1,
            _ => {}
        }
    }
    needed
}

fn channel(buckets: &[String]) -> Result<String, String> {
    match buckets.first() {
        Some(bucket) => Ok(format!("delivers to `{bucket}`")),
        None => Err("no delivery channel: AWS Config records nothing without one".to_owned()),
    }
}

fn rules(used: u64, own: u64, prefix: &str, needed: u64) -> Result<String, String> {
    // Rules with the prefix are those of an earlier deployment, which this one replaces.
    let others = used.saturating_sub(own);
    let line = format!("{needed} to deploy, {others} others, of {RULES_QUOTA}");
    let line = if own == 0 { line } else { format!("{line}; {own} named `{prefix}…` exist") };
    if others + needed <= RULES_QUOTA { Ok(line) } else { Err(format!("{line}: request a quota increase")) }
}

fn roles(quota: Quota, needed: u64) -> Result<String, String> {
    let line = format!("at most {needed} to create, {} exist, of {}", quota.used, quota.limit);
    if quota.used + needed <= quota.limit { Ok(line) } else { Err(format!("{line}: request a quota increase")) }
}

fn concurrency(unreserved: u64) -> Result<String, String> {
    let line = format!("unreserved concurrency {unreserved}");
    if unreserved >= CONCURRENCY {
        return Ok(line);
    }
    Err(format!(
        "{line}, expected at least {CONCURRENCY}: request a quota increase, or reserve less for other functions"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_all_templates_are_counted() {
        let one =
            "Resources:\n  A:\n    Type: AWS::Config::ConfigRule\n    Properties: {}\n  B:\n    Type: AWS::IAM::Role\n";
        let two = "Resources:\n  C:\n    Type: AWS::IAM::Role\n    Properties:\n      Type: AWS::IAM::Role\n";
        assert_eq!(needed([one, two].into_iter()), Needed { rules: 1, roles: 2 });
    }

    #[test]
    fn a_quota_that_does_not_suffice_fails_with_the_numbers() {
        for (given, expected) in [
            (rules(924, 0, "rectify-", 76), Ok("76 to deploy, 924 others, of 1000")),
            (rules(925, 0, "rectify-", 76), Err("76 to deploy, 925 others, of 1000: request a quota increase")),
            (rules(1000, 76, "rectify-", 76), Ok("76 to deploy, 924 others, of 1000; 76 named `rectify-…` exist")),
            (roles(Quota { used: 900, limit: 1000 }, 100), Ok("at most 100 to create, 900 exist, of 1000")),
            (
                roles(Quota { used: 901, limit: 1000 }, 100),
                Err("at most 100 to create, 901 exist, of 1000: request a quota increase"),
            ),
            (concurrency(1_000), Ok("unreserved concurrency 1000")),
            (
                concurrency(10),
                Err(
                    "unreserved concurrency 10, expected at least 20: request a quota increase, or reserve less for other functions",
                ),
            ),
            (channel(&["logs".to_owned()]), Ok("delivers to `logs`")),
            (channel(&[]), Err("no delivery channel: AWS Config records nothing without one")),
        ] {
            assert_eq!(given, expected.map(str::to_owned).map_err(str::to_owned));
        }
    }
}
