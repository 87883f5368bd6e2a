//! Who can reach a bucket, all settings taken together: what ACL, bucket policy and access points grant, less what block
//! public access and object ownership switch off.
//!
//! Pure: it knows configuration items, SDKs and controls as little as the clock. Every parser here refuses what it does not
//! know, so that judging ([`exposure`]) is total and never meets an unknown.
//!
//! | module | noun |
//! |---|---|
//! | [`flags`] | the four flags of block public access, of a bucket, an account or an access point |
//! | [`acl`] | grants of an access control list, and object ownership |
//! | [`policy`] | a resource policy: its statements, and which of them are public |
//! | [`document`] | the text of a policy, which another statement can be added to and nothing else changed |
//! | [`statement`] | one statement, parsed |
//! | [`principal`] | who a statement is about |
//! | [`condition`] | what narrows a statement, and whether it narrows enough |
//! | [`pattern`] | `*` and `?` in ARNs and actions: what they match, cover and reach |
//! | [`actions`] | every S3 action with a bucket or object resource, as reading or writing |
//! | [`exposure`] | the result: through what the public reads, and through what it writes |

pub mod acl;
pub mod actions;
pub mod condition;
pub mod document;
pub mod exposure;
pub mod flags;
pub mod pattern;
pub mod policy;
pub mod principal;
pub mod statement;

pub use acl::{Acl, Grant, Grantee, Ownership, Permission};
pub use document::Document;
pub use exposure::{Access, AccessPoint, Cause, Exposure, NetworkOrigin};
pub use flags::Flags;
pub use policy::{Policy, Site};
pub use statement::Statement;
