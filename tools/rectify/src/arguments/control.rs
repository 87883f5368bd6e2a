//! The id of a control, as an argument.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use rectify_compliance::nearest;

/// The parser of a control's id.
pub(super) const fn control_ids() -> ControlId {
    ControlId
}

/// The id of a control; an unknown one is refused with the nearest.
#[derive(Debug, Clone, Copy)]
pub(super) struct ControlId;

impl TypedValueParser for ControlId {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        TypedValueParser::parse_ref(&control_id, command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(rectify_catalogue::controls().map(|control| PossibleValue::new(control.meta.id))))
    }
}

fn control_id(text: &str) -> Result<String, String> {
    if rectify_catalogue::find(text).is_some() {
        return Ok(text.to_owned());
    }
    let near = nearest(text, rectify_catalogue::controls().map(|control| control.meta.id));
    let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    Err(format!("no control of this name{near} `rectify controls` lists them"))
}
