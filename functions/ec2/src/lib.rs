//! EC2 controls: security groups and account-level EBS encryption.
//!
//! | module | noun |
//! |---|---|
//! | [`restricted_ssh`] | the control: no security group lets the internet reach SSH |
//! | [`ec2_ebs_encryption_by_default`] | the control: new EBS volumes are encrypted without anybody asking |
//! | [`security_group`] | a group, its surroundings, and both as the subject of its controls |
//! | [`permission`] | the peers of one permission, flattened into rules |
//! | [`rule`] | one rule with one peer |
//! | [`openness`] | which rules let the internet in, alone or together |
//! | [`authorization`] | the call that opens a group, as data: for undo and for people |
//! | `client` | the only place that names an SDK (feature `lambda`) |
//!
//! Without feature `lambda` no SDK is linked: everything that decides compiles and tests in seconds.

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod authorization;
#[cfg(feature = "lambda")]
pub mod client;
pub mod ec2_ebs_encryption_by_default;
pub mod openness;
pub mod permission;
pub mod restricted_ssh;
pub mod rule;
pub mod security_group;

use rectify_compliance::Entry;

pub use ec2_ebs_encryption_by_default::Ec2EbsEncryptionByDefault;
pub use restricted_ssh::RestrictedSsh;

/// Every control of this crate.
pub const CONTROLS: &[Entry] = &[
    Entry::of::<RestrictedSsh>()
        .on_change::<RestrictedSsh>()
        .on_schedule::<RestrictedSsh>()
        .remediated::<RestrictedSsh>(),
    Entry::of::<Ec2EbsEncryptionByDefault>()
        .on_schedule::<Ec2EbsEncryptionByDefault>()
        .remediated::<Ec2EbsEncryptionByDefault>(),
];

/// The same controls with what can be called: live read, apply, undo.
#[cfg(feature = "lambda")]
pub const OPERATIONS: &[rectify_runtime::Operations] = &[
    rectify_runtime::Operations::of::<RestrictedSsh, client::Clients>(),
    rectify_runtime::Operations::of::<Ec2EbsEncryptionByDefault, client::Clients>(),
];
