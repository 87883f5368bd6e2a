//! IAM policy documents: their statements, and the access they grant.
//!
//! Pure: depends on no SDK, clock, service or named control. The differences between services (condition keys, actions) are
//! data, a [`ResourceKind`]. Every parser here rejects unknown elements, so that the analysis is total.
//!
//! | module | noun |
//! |---|---|
//! | [`decode`] | the text of a document, percent-encoded or plain |
//! | [`canonical`] | the form in which documents are compared |
//! | [`document`] | a document as text, to add or remove a statement without any other change |
//! | [`policy`] | a document, parsed: its statements |
//! | [`statement`] | one statement, parsed |
//! | [`principal`] | the principals of a statement |
//! | [`condition`] | the conditions of a statement, and whether they make it non-public |
//! | [`pattern`] | `*` and `?` in ARNs and actions: matching, covering and reaching |
//! | [`exposure`] | the statements of a resource policy that grant public access |
//! | [`grant`] | identity policy statements that allow all actions, or all of a service |
//! | [`public_policy`] | the controls that remove public statements |
//! | [`request`] | whether a policy allows a request of an AWS service |

pub mod canonical;
pub mod condition;
pub mod decode;
pub mod document;
pub mod exposure;
pub mod grant;
pub mod pattern;
pub mod policy;
pub mod principal;
pub mod public_policy;
pub mod request;
pub mod statement;

pub use canonical::{DeletedPrincipal, PolicyDocument, canonical, deleted_principals};
pub use condition::Condition;
pub use decode::decode;
pub use document::Document;
pub use exposure::{Key, ResourceKind, Wildcards};
pub use policy::{Policy, PolicyType};
pub use principal::{Identity, IdentityKind, Principal};
pub use public_policy::{Edit, PolicyParameters, PublicPolicy};
pub use request::ServiceRequest;
pub use statement::{Effect, Selection, Statement};
