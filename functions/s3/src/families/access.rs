//! The effective public access to a bucket: the grants of ACL, bucket policy and access points, minus those that block
//! public access and object ownership disable.
//!
//! Pure: depends on no SDK, no control and no clock. `rectify_policy` parses policies and decides to which principals they
//! allow. Every parser here rejects unknown values, so [`exposure`] is total and never meets an unknown.
//!
//! | module | contents |
//! |---|---|
//! | [`flags`] | the four flags of block public access, of a bucket, an account or an access point |
//! | [`acl`] | grants of an access control list, and object ownership |
//! | [`actions`] | every S3 action with a bucket or object resource, as read or write |
//! | [`kind`] | the condition keys by which S3 decides whether a policy is public |
//! | [`exposure`] | the result: the causes of public read and public write access |

pub mod acl;
pub mod actions;
pub mod exposure;
pub mod flags;
pub mod kind;

pub use acl::{Acl, Grant, Grantee, Ownership, Permission};
pub use exposure::{Access, AccessPoint, Cause, Exposure, NetworkOrigin};
pub use flags::Flags;
