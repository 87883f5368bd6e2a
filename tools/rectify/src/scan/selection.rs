//! Which controls a scan runs, with which parameters, and where.

use std::path::Path;

use rectify_catalogue::frameworks::{AS_OF, covered, holds};
use rectify_catalogue::profiles::profile;
use rectify_catalogue::service;
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{Entry, Mode, Region, Scope};
use rectify_synth::{Selected, Settings};

use crate::arguments::ScanArguments;
use crate::cli_error::CliError;

/// A control in a region.
pub(super) struct Job {
    /// Its position in the catalogue.
    pub(super) at: usize,
    /// The control.
    pub(super) control: &'static Entry,
    /// Its `ruleParameters`.
    pub(super) parameters: String,
    /// The region.
    pub(super) region: Region,
}

/// The selected controls in the order of the catalogue, each in its regions.
///
/// # Errors
/// As [`selected`] and [`jobs_in`].
pub(super) fn jobs(arguments: &ScanArguments, regions: &[Region]) -> Result<Vec<Job>, CliError> {
    jobs_in(&selected(arguments)?, regions)
}

/// The selected controls, each with its position in the catalogue.
///
/// # Errors
/// [`CliError::Usage`] for an invalid file, and if nothing is selected.
pub(super) fn selected(arguments: &ScanArguments) -> Result<Vec<(usize, Selected)>, CliError> {
    let settings = settings(arguments)?;
    let controls = settings.controls().iter().cloned().enumerate();
    let selected: Vec<_> = controls.filter(|(_, it)| is_selected(it, arguments)).collect();
    if selected.is_empty() {
        return Err(CliError::usage("scan: the options select no control: leave one out, or see `rectify controls`"));
    }
    Ok(selected)
}

/// These controls in the order given, each in its regions.
///
/// # Errors
/// [`CliError`] for invalid parameters.
pub(super) fn jobs_in(selected: &[(usize, Selected)], regions: &[Region]) -> Result<Vec<Job>, CliError> {
    let mut jobs = Vec::new();
    for (at, Selected { control, parameters, .. }) in selected {
        for region in regions_of(control, parameters, regions)? {
            jobs.push(Job { at: *at, control, parameters: parameters.clone(), region });
        }
    }
    Ok(jobs)
}

/// The parameters of all controls: those of the file over those of the profile.
fn settings(arguments: &ScanArguments) -> Result<Settings, CliError> {
    let text = arguments.parameters.as_deref().map_or_else(|| Ok(String::new()), read)?;
    let profile = arguments.controls_profile.iter().map(|name| ("profile".to_owned(), name.clone()));
    let controls: Vec<_> = rectify_catalogue::controls().collect();
    Settings::read_with(&text, &profile.collect::<Vec<_>>(), &controls).map_err(|error| {
        let file = arguments.parameters.as_deref().map_or_else(String::new, |it| format!(": {}", it.display()));
        CliError::usage(format!("--parameters{file}: {error}"))
    })
}

fn read(path: &Path) -> Result<String, CliError> {
    std::fs::read_to_string(path).map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
}

fn is_selected(selected: &Selected, arguments: &ScanArguments) -> bool {
    let Selected { control, mode, .. } = selected;
    let meta = control.meta;
    let is_in = |list: &[String], name: &str| list.iter().any(|it| it == name);
    let is_named = is_in(&arguments.control, meta.id);
    let in_profile = |name: &str| profile(name).is_ok_and(|it| it.controls().any(|it| it.meta.id == meta.id));
    let covers = |framework| covered(meta, framework).iter().any(|id| holds(framework, id, AS_OF));
    let is_on = *mode != Mode::Off;
    (is_named || (arguments.control.is_empty() && is_on))
        && !is_in(&arguments.exclude, meta.id)
        && (arguments.service.is_empty() || is_in(&arguments.service, service(control)))
        && arguments.controls_profile.as_deref().is_none_or(in_profile)
        && arguments.framework.is_none_or(covers)
        && arguments.severity.is_none_or(|least| meta.severity >= least)
}

/// A global control is scanned in its home regions only: one, unless the regions are in several partitions.
fn regions_of(control: &Entry, parameters: &str, regions: &[Region]) -> Result<Vec<Region>, CliError> {
    match control.meta.scope {
        Scope::Regional => Ok(regions.to_vec()),
        Scope::Global => {
            let home = CommonParameters::parse(parameters)?.home_region;
            let of = |region: &Region| home.clone().unwrap_or_else(|| region.default_home_region());
            let mut homes: Vec<Region> = regions.iter().map(of).collect();
            homes.sort();
            homes.dedup();
            Ok(homes)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn selected(line: &str) -> Result<Vec<String>, String> {
        let line = format!("rectify scan {line}");
        let Command::Scan(arguments) = Arguments::try_parse_from(line.split_whitespace()).unwrap().command else {
            return Err("another command".to_owned());
        };
        let regions: Vec<Region> = arguments.region.iter().map(Region::new).collect();
        let jobs = jobs(&arguments, &regions).map_err(|error| error.to_string())?;
        Ok(jobs.iter().map(|job| format!("{} {}", job.control.meta.id, job.region)).collect())
    }

    #[test]
    fn options_narrow_the_selection_and_global_controls_run_at_home() {
        let rows: [(&str, &[&str]); 5] = [
            (
                "--control restricted-ssh --region eu-west-1 --region us-east-1",
                &["restricted-ssh eu-west-1", "restricted-ssh us-east-1"],
            ),
            (
                "--service iam --severity critical --region eu-west-1 --region eu-west-2",
                &["iam-root-access-key-check us-east-1", "root-account-mfa-enabled us-east-1"],
            ),
            ("--service efs --framework cis-5.0 --region eu-west-1", &["efs-encrypted-check eu-west-1"]),
            (
                "--control restricted-ssh --control efs-encrypted-check --exclude restricted-ssh --region eu-west-1",
                &["efs-encrypted-check eu-west-1"],
            ),
            (
                "--controls-profile starter --service ec2 --region eu-west-1",
                &["restricted-ssh eu-west-1", "ec2-ebs-encryption-by-default eu-west-1"],
            ),
        ];
        for (line, expected) in rows {
            assert_eq!(selected(line).unwrap_or_default(), expected, "{line}");
        }
    }

    #[test]
    fn a_selection_of_nothing_is_an_error() {
        let error = selected("--control restricted-ssh --exclude restricted-ssh --region eu-west-1").unwrap_err();
        assert_eq!(error, "scan: the options select no control: leave one out, or see `rectify controls`");
    }

    #[test]
    fn the_file_has_the_parameters_and_turns_controls_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rectify.yaml");
        let text = "mode: off\ncontrols:\n  restricted-ssh: { mode: plan, parameters: { ports: [2222] } }\n";
        std::fs::write(&file, text).unwrap();
        let line = format!("--region eu-west-1 --parameters {}", file.display());
        assert_eq!(selected(&line).unwrap(), ["restricted-ssh eu-west-1"]);
        let named = selected(&format!("{line} --control efs-encrypted-check")).unwrap();
        assert_eq!(named, ["efs-encrypted-check eu-west-1"], "a named control is scanned");
        std::fs::write(&file, "controls:\n  restricted-shh: plan\n").unwrap();
        let error = selected(&line).unwrap_err();
        assert!(error.ends_with("unknown control: did you mean `restricted-ssh`"), "{error}");
    }
}
