//! Who can reach a bucket, all settings taken together: what ACL, bucket policy and access points grant, less what block
//! public access and object ownership switch off.
//!
//! Pure: it knows configuration items, SDKs and controls as little as the clock. What a policy says, and whom it
//! lets in, is the business of `rectify_policy`. Every parser here refuses what it does not know, so that judging
//! ([`exposure`]) is total and never meets an unknown.
//!
//! | module | noun |
//! |---|---|
//! | [`flags`] | the four flags of block public access, of a bucket, an account or an access point |
//! | [`acl`] | grants of an access control list, and object ownership |
//! | [`actions`] | every S3 action with a bucket or object resource, as reading or writing |
//! | [`kind`] | what a policy of S3 is judged by |
//! | [`exposure`] | the result: through what the public reads, and through what it writes |

pub mod acl;
pub mod actions;
pub mod exposure;
pub mod flags;
pub mod kind;

pub use acl::{Acl, Grant, Grantee, Ownership, Permission};
pub use exposure::{Access, AccessPoint, Cause, Exposure, NetworkOrigin};
pub use flags::Flags;
