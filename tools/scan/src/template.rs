//! Resources that do not exist yet: what a CloudFormation template or a Terraform plan would create, judged by the same `evaluate` as
//! everything else.
//!
//! A property that is known becomes part of the item that AWS Config will record; a control that needs one that is not
//! known has no verdict. Links no SDK and calls nothing.
//!
//! | module | noun |
//! |---|---|
//! | [`cloudformation`] | a template: its resources with resolved properties |
//! | [`terraform`] | a plan: its resources with CloudFormation's names for their properties |
//! | `document` | the text of a template, JSON or YAML, as one value with lines |
//! | `intrinsics` | `Ref`, `Fn::Sub` and the others |
//! | `companions` | resources that are part of another one, such as bucket policies |
//! | `kinds` | a table per type: from properties to the item |
//! | `forms` | the values of properties in the form of items |
//! | [`judge`] | the rows of declared resources |

pub mod cloudformation;
mod companions;
mod document;
mod forms;
mod intrinsics;
pub mod judge;
mod kinds;
pub mod terraform;

use rectify_compliance::{AccountId, Region};
use serde_json::Value;

pub use judge::{TemplateJudges, answers};

/// A resource that is declared and does not exist yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// CloudFormation's type; the provider's, for a part of a resource that CloudFormation does not have as a type.
    pub kind: String,
    /// Its logical id, or its address in the plan.
    pub id: String,
    /// Where it begins in its file, from 1.
    pub line: Option<u64>,
    /// Its properties by CloudFormation's names; what is not known is null.
    properties: Value,
    /// What is not known, or names another resource.
    openings: Vec<Opening>,
    /// Its names as far as they are known.
    names: intrinsics::Names,
}

/// A resource that cannot be read, or all of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its type; `*` for the whole file.
    pub kind: String,
    /// Its logical id; `*` for the whole file.
    pub id: String,
    /// Where it begins, from 1.
    pub line: Option<u64>,
    /// Why.
    pub reason: String,
}

/// The account and region of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The account; zeros if it was not given.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// Whether both were given: otherwise a condition on them is not known.
    pub is_given: bool,
}

/// A place in the properties whose value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Opening {
    /// A JSON pointer into the properties.
    path: String,
    gap: Gap,
}

/// Why a value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gap {
    /// It contains the name of a resource of the template: that there is one is known.
    Reference,
    /// It is known only at deployment: the function or parameter.
    Unknown(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
