//! IAM controls: the root user, the password policy, and how users sign in.
//!
//! IAM is global: every control here is evaluated in the home region only.
//! The pure half names no SDK; the calls are in `rectify-iam-lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`access_keys_rotated`] | an active access key is older than allowed |
//! | [`iam_password_policy`] | the account's password policy is weaker than required |
//! | [`iam_root_access_key_check`] | the root user has access keys |
//! | [`iam_user_mfa_enabled`] | a user has no MFA device |
//! | [`mfa_enabled_for_iam_console_access`] | a user signs in to the console without MFA |
//! | [`root_account_mfa_enabled`] | the root user can sign in without MFA |
//! | [`access_key`] | access keys, shown by four characters |
//! | [`mfa`] | what the controls of users without MFA have in common |
//! | [`mfa_policy`] | the policy that leaves a user nothing but registering a device, and when it may be attached |
//! | [`password_policy`] | the settings of a password policy and how they are made stricter |
//! | [`policy`] | policy documents, and which statements cover an action |
//! | [`user`] | a user, by id and by name |
//! | [`root`] | what the controls of the root user have in common |
//! | `age` | how old something is |

pub mod access_key;
pub mod access_keys_rotated;
mod age;
pub mod iam_password_policy;
pub mod iam_root_access_key_check;
pub mod iam_user_mfa_enabled;
pub mod mfa;
pub mod mfa_enabled_for_iam_console_access;
pub mod mfa_policy;
pub mod password_policy;
pub mod policy;
pub mod root;
pub mod root_account_mfa_enabled;
pub mod user;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change_and_schedule, on_schedule};

pub use access_keys_rotated::ACCESS_KEYS_ROTATED;
pub use iam_password_policy::IAM_PASSWORD_POLICY;
pub use iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK;
pub use iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
pub use mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
pub use root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&ACCESS_KEYS_ROTATED).remediated(),
    on_schedule(&IAM_PASSWORD_POLICY).remediated(),
    on_schedule(&IAM_ROOT_ACCESS_KEY_CHECK).remediated(),
    on_schedule(&IAM_USER_MFA_ENABLED).remediated(),
    on_change_and_schedule(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS).remediated(),
    on_schedule(&ROOT_ACCOUNT_MFA_ENABLED).remediated(),
];
