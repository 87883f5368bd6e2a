//! The arguments of `synth`.

use std::path::PathBuf;

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  rectify synth                                                writes template.yaml and deploy/controls/*.yaml
  rectify synth --set controls.restricted-ssh.mode=enforce     the same, with another mode for one control
  rectify synth --check                                        exits with 1 if a template is out of date";

/// Arguments of `synth`.
#[derive(Debug, Args)]
pub(crate) struct SynthArguments {
    /// The file that says what is deployed.
    #[arg(long, value_name = "FILE", default_value = "rectify.yaml")]
    pub(crate) settings: PathBuf,
    /// The folder to write to; functions are expected in its target/lambda.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Another value for a setting, by its path, e.g. `controls.restricted-ssh.mode=enforce`; repeatable.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) overrides: Vec<(String, String)>,
    /// Write nothing; exit with 1 if a template is out of date.
    #[arg(long)]
    pub(crate) check: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or_else(|| "expected PATH=VALUE".to_owned())?;
    Ok((path.to_owned(), value.to_owned()))
}
