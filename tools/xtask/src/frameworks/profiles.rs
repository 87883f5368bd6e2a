//! The section about profiles.

use rectify_catalogue::profiles::PROFILES;

use super::link;

const INTRODUCTION: &str = "
## Profiles

A profile is a set of controls with their parameters, as data in `functions/catalogue/src/profiles.rs`.
`fsbp`, `cis-3.0` and `cis-5.0` are the controls that cover an id of the framework, so a new control joins them by its declaration.
The parameters are those that the framework requires; where a profile sets none, the default of the control holds.

| profile | purpose | controls | planned |
|---|---|---|---|
";

pub(super) fn render() -> String {
    let mut text = INTRODUCTION.to_owned();
    for profile in PROFILES {
        let (controls, planned) = (profile.controls().count(), profile.planned().len());
        text.push_str(&format!("| `{}` | {} | {controls} | {planned} |\n", profile.name, profile.purpose));
    }
    for profile in PROFILES {
        let controls = match profile.framework() {
            Some(framework) => format!("The controls of the section {} above", framework.title()),
            None => profile.controls().map(|it| link(it.meta.id)).collect::<Vec<_>>().join(", "),
        };
        text.push_str(&format!("\n### {}\n\n{controls}.\n", profile.name));
        let rows: String = profile
            .parameters()
            .map(|it| format!("| `{}` | `{}` | `{}` | {} |\n", it.control, it.name, it.value, it.why))
            .collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n| control | parameter | value | reason |\n|---|---|---|---|\n{rows}"));
        }
    }
    text
}
