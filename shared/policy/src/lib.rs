//! IAM policy documents: what they say, and whom they let in.
//!
//! Pure, as the core: knows no SDK, no clock, no service and no control. What differs between services (their condition keys,
//! their actions) comes in as data, a [`ResourceKind`]. Every parser here refuses what it does not know, so that judging is
//! total and never meets an unknown.
//!
//! | module | noun |
//! |---|---|
//! | [`decode`] | the text of a document, percent-encoded or plain |
//! | [`canonical`] | the form in which documents are compared |
//! | [`document`] | a document as text, which a statement can be added to and nothing else changed |
//! | [`policy`] | a document, parsed: its statements |
//! | [`statement`] | one statement, parsed |
//! | [`principal`] | who a statement is about |
//! | [`condition`] | what narrows a statement, and whether it narrows enough |
//! | [`pattern`] | `*` and `?` in ARNs and actions: what they match, cover and reach |
//! | [`exposure`] | which statements of a resource's policy let the public in |
//! | [`grant`] | what a statement of an identity's policy grants whole |
//! | [`request`] | whether a policy lets an AWS service do something |

pub mod canonical;
pub mod condition;
pub mod decode;
pub mod document;
pub mod exposure;
pub mod grant;
pub mod pattern;
pub mod policy;
pub mod principal;
pub mod request;
pub mod statement;

pub use canonical::{DeletedPrincipal, PolicyDocument, canonical, deleted_principals};
pub use condition::Condition;
pub use decode::decode;
pub use document::Document;
pub use exposure::{Key, ResourceKind, Wildcards};
pub use policy::{Policy, PolicyType};
pub use principal::{Identity, IdentityKind, Principal};
pub use request::ServiceRequest;
pub use statement::{Effect, Selection, Statement};
