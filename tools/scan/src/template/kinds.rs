//! How a declared resource becomes the item that AWS Config will record: a table per type.
//!
//! Each row has a property of CloudFormation, its place in the item, and the controls that read it. A control without a
//! row in a type has no verdict on a template. Defaults are those that the service documents for a new resource.

mod compute;
mod data;
mod identity;
mod messaging;
mod storage;

use serde_json::Value;

use super::forms::{Form, tags};

/// A type of resources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// CloudFormation's name.
    pub(super) template: &'static str,
    /// AWS Config's name.
    pub(super) recorded: &'static str,
    /// Whether AWS Config records it without a region.
    pub(super) is_global: bool,
    /// What the service sets on a new resource; [`place`](super::judge) replaces `{id}`, `{arn}`, `{name}`, `{region}`
    /// and `{account}` in texts.
    pub(super) base: &'static str,
    /// The controls that can answer.
    pub(super) controls: &'static [Answer],
    /// What they read.
    pub(super) properties: &'static [Property],
}

/// A control that can answer from properties.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// Its id.
    pub(super) control: &'static str,
    /// Its facts: where they are in the mapped document. Empty for none.
    pub(super) facts: &'static str,
    /// Parameters with which it reads more than the resource: with them it has no verdict.
    pub(super) reads_with: &'static [&'static str],
}

/// A property.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {
    /// Its path in CloudFormation, as a JSON pointer.
    pub(super) from: &'static str,
    /// Its place in the mapped document: `/configuration`, `/supplementaryConfiguration`, or facts.
    pub(super) to: &'static str,
    /// How the value changes.
    pub(super) form: Form,
    /// What its absence means.
    pub(super) absent: Absent,
    /// The members in which the name of another resource of the template is enough: the verdict depends on whether there
    /// is one. `*` is all of them.
    pub(super) references: &'static [&'static str],
    /// Parameters that compare the value, so that the name of another resource is not enough.
    pub(super) compared_with: &'static [&'static str],
    /// Whether an element of the list that is not known leaves a finding of the others as it is.
    pub(super) is_partial: bool,
    /// The controls that read it.
    pub(super) controls: &'static [&'static str],
}

/// What an absent property means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Absent {
    /// The item lacks it, too.
    Omitted,
    /// The documented default, as JSON in the form of the item.
    Is(&'static str),
    /// The same, unless one of these properties is present: then another resource decides.
    IsWithout(&'static str, &'static [&'static str]),
    /// The defaults of a member: while the object around it is absent, and while that is present.
    Member {
        /// The object.
        of: &'static str,
        /// The default without it.
        without: &'static str,
        /// The default within it.
        within: &'static str,
    },
    /// It is known only at deployment, and why.
    Unknown(&'static str),
}

/// Every member may be the name of a resource of the template.
const ANY: &[&str] = &["*"];

const fn answer(control: &'static str) -> Answer {
    Answer { control, facts: "", reads_with: &[] }
}

const fn property(
    from: &'static str,
    to: &'static str,
    form: Form,
    absent: Absent,
    controls: &'static [&'static str],
) -> Property {
    Property { from, to, form, absent, references: &[], compared_with: &[], is_partial: false, controls }
}

impl Property {
    const fn referring(self, references: &'static [&'static str]) -> Self {
        Self { references, ..self }
    }

    const fn compared_with(self, compared_with: &'static [&'static str]) -> Self {
        Self { compared_with, ..self }
    }

    const fn partial(self) -> Self {
        Self { is_partial: true, ..self }
    }
}

/// Every table.
const KINDS: [&[Kind]; 5] = [compute::KINDS, data::KINDS, identity::KINDS, messaging::KINDS, storage::KINDS];

/// `required-tags`, for every type that it evaluates.
pub(super) const REQUIRED_TAGS: &str = "required-tags";

/// The tags of a resource of any type.
pub(super) const TAGGED: Kind = Kind {
    template: "",
    recorded: "",
    is_global: false,
    base: r#"{"configuration": {}}"#,
    controls: &[answer(REQUIRED_TAGS)],
    properties: &[property("/Tags", "/tags", tags, Absent::Omitted, &[REQUIRED_TAGS]).referring(&["Value"])],
};

/// All types with a table.
pub(super) fn all() -> impl Iterator<Item = &'static Kind> {
    KINDS.into_iter().flatten()
}

/// The table of a type of CloudFormation.
pub(super) fn find(template: &str) -> Option<&'static Kind> {
    all().find(|it| it.template == template)
}

/// AWS Config's name of a type of CloudFormation.
pub(super) fn recorded(template: &str) -> &str {
    find(template).map_or(template, |it| it.recorded)
}

/// The value of a property; null counts as absent.
pub(super) fn present<'v>(properties: &'v Value, pointer: &str) -> Option<&'v Value> {
    properties.pointer(pointer).filter(|it| !it.is_null())
}
