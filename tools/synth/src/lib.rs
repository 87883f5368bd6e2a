//! What is deployed: one file, `rectify.yaml`, and the CloudFormation templates that follow from it.
//!
//! Links no SDK and knows no control by name.
//!
//! | module | noun |
//! |---|---|
//! | [`settings`] | `rectify.yaml`: each control's mode and parameters, and the values of the stack |
//! | [`declaration`] | the values of the stack: type, default and allowed values, as CloudFormation declares them |
//! | [`template`] | the templates: one of the platform, and one nested template per service |
//! | [`fragment`] | text with placeholders |

pub mod declaration;
pub mod fragment;
pub mod settings;
pub mod template;

pub use settings::{Selected, Settings, SettingsError};
pub use template::{MEMBER, ROOT, Templates, remediation_variables};

/// Why there are no templates.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// `rectify.yaml` is invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A fragment of this crate has a placeholder without a value.
    #[error(transparent)]
    Fragment(#[from] fragment::Unfilled),
}

/// The templates that follow from a `rectify.yaml`, for all controls of the catalogue; `overrides` replace its values by
/// their path, e.g. `controls.restricted-ssh.mode`.
///
/// # Errors
/// [`SynthError`], with the path and the received value.
pub fn synth(file: &str, overrides: &[(String, String)]) -> Result<Templates, SynthError> {
    let controls: Vec<_> = rectify_catalogue::controls().collect();
    Ok(template::render(&Settings::read_with(file, overrides, &controls)?)?)
}
