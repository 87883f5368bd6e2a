//! `rectify synth`: the CloudFormation templates that follow from `rectify.yaml`.

use std::path::Path;

use rectify_synth::{SynthError, Templates};
use serde_json::json;

use crate::arguments::SynthArguments;
use crate::cli_error::CliError;
use crate::report::{Ending, Report};

/// Writes the templates, or with `--check` only reports which ones differ.
///
/// # Errors
/// [`CliError::Usage`] for an invalid file; [`CliError::Machine`] when a file cannot be read or written.
pub(crate) fn run(arguments: &SynthArguments) -> Result<Report, CliError> {
    let path = &arguments.settings;
    let text =
        std::fs::read_to_string(path).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?;
    let templates = rectify_synth::synth(&text, &arguments.overrides).map_err(|error| match error {
        SynthError::Settings(error) => CliError::Usage(error.to_string()),
        SynthError::Fragment(error) => CliError::Machine(error.to_string()),
    })?;
    let changed = changed(&arguments.output, &templates)?;
    if !arguments.check {
        for (path, text) in templates.iter().filter(|(path, _)| changed.contains(path)) {
            write(&arguments.output.join(path), text)?;
        }
    }
    Ok(report(arguments, &templates, &changed))
}

/// The templates that differ from the files in this folder.
fn changed(folder: &Path, templates: &Templates) -> Result<Vec<String>, CliError> {
    let mut changed = Vec::new();
    for (path, text) in templates {
        let file = folder.join(path);
        match std::fs::read_to_string(&file) {
            Ok(written) if written == *text => {}
            Ok(_) => changed.push(path.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => changed.push(path.clone()),
            Err(error) => return Err(in_file(&file)(error)),
        }
    }
    Ok(changed)
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(in_file(folder))?;
    }
    std::fs::write(file, text).map_err(in_file(file))
}

fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let path = path.display().to_string();
    move |error| CliError::Machine(format!("{path}: {error}"))
}

fn report(arguments: &SynthArguments, templates: &Templates, changed: &[String]) -> Report {
    let state = |path: &String| match (changed.contains(path), arguments.check) {
        (true, true) => "differs",
        (true, false) => "written",
        (false, _) => "unchanged",
    };
    let text = templates.keys().map(|path| format!("{:9}  {path}\n", state(path))).collect::<String>();
    let files: Vec<_> = templates.keys().map(|path| json!({"path": path, "state": state(path)})).collect();
    let ending = if arguments.check && !changed.is_empty() { Ending::Finding } else { Ending::Fine };
    Report { text, json: json!({ "templates": files }), ending }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arguments(folder: &Path, overrides: &[(&str, &str)], check: bool) -> SynthArguments {
        let settings = folder.join("rectify.yaml");
        std::fs::write(&settings, "mode: off\n").unwrap();
        let overrides = overrides.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        SynthArguments { settings, output: folder.join("out"), overrides, check }
    }

    #[test]
    fn templates_are_written_once_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let of =
            |mode: &str, check| run(&arguments(folder.path(), &[("controls.restricted-ssh", mode)], check)).unwrap();
        let checked = of("plan", true);
        assert_eq!(checked.text, "differs    deploy/controls/ec2.yaml\ndiffers    template.yaml\n");
        assert_eq!(checked.ending, Ending::Finding);
        assert!(!folder.path().join("out").exists(), "a check writes nothing");
        assert_eq!(of("plan", false).text, "written    deploy/controls/ec2.yaml\nwritten    template.yaml\n");
        let checked = of("plan", true);
        assert_eq!(checked.text, "unchanged  deploy/controls/ec2.yaml\nunchanged  template.yaml\n");
        assert_eq!(checked.ending, Ending::Fine);
        assert_eq!(of("enforce", true).ending, Ending::Finding);
    }

    #[test]
    fn invalid_settings_are_a_usage_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(&arguments(folder.path(), &[("controls.restricted-shh", "plan")], false)).unwrap_err();
        let expected = "rectify.yaml: controls.restricted-shh: unknown control: did you mean `restricted-ssh`";
        assert_eq!((error.to_string().as_str(), error.code()), (expected, 2));
    }
}
