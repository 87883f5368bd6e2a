//! Templates for one test: what its settings say, and no other control.

use rectify_synth::Templates;

/// The templates for these settings of `rectify.yaml`, by their paths; all other controls are off.
///
/// # Panics
/// With the refusal, if a setting is refused.
#[must_use]
pub fn templates(settings: &[(&str, &str)]) -> Templates {
    let overrides: Vec<(String, String)> =
        settings.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    rectify_synth::synth("mode: off", &overrides).unwrap_or_else(|error| panic!("{error}"))
}
