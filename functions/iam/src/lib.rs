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
//! | [`mfa_policy`] | the policy that leaves a user nothing but registering a device, and when it may be attached |
//! | [`password_policy`] | the settings of a password policy and how they are made stricter |
//! | [`policy`] | policy documents, and which statements cover an action |
//! | [`user`] | a user, by id and by name |
//! | `age`, `root` | how old something is; who acts for the root user |

pub mod access_key;
pub mod access_keys_rotated;
mod age;
pub mod iam_password_policy;
pub mod iam_root_access_key_check;
pub mod iam_user_mfa_enabled;
pub mod mfa_enabled_for_iam_console_access;
pub mod mfa_policy;
pub mod password_policy;
pub mod policy;
mod root;
pub mod root_account_mfa_enabled;
pub mod user;

use access_keys_rotated::AccessKeysRotated;
use iam_password_policy::IamPasswordPolicy;
use iam_root_access_key_check::IamRootAccessKeyCheck;
use iam_user_mfa_enabled::IamUserMfaEnabled;
use mfa_enabled_for_iam_console_access::MfaEnabledForIamConsoleAccess;
use rectify_compliance::Entry;
use root_account_mfa_enabled::RootAccountMfaEnabled;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    Entry::of::<AccessKeysRotated>().on_schedule::<AccessKeysRotated>().remediated::<AccessKeysRotated>(),
    Entry::of::<IamPasswordPolicy>().on_schedule::<IamPasswordPolicy>().remediated::<IamPasswordPolicy>(),
    Entry::of::<IamRootAccessKeyCheck>().on_schedule::<IamRootAccessKeyCheck>().remediated::<IamRootAccessKeyCheck>(),
    Entry::of::<IamUserMfaEnabled>().on_schedule::<IamUserMfaEnabled>().remediated::<IamUserMfaEnabled>(),
    Entry::of::<MfaEnabledForIamConsoleAccess>()
        .on_change::<MfaEnabledForIamConsoleAccess>()
        .on_schedule::<MfaEnabledForIamConsoleAccess>()
        .remediated::<MfaEnabledForIamConsoleAccess>(),
    Entry::of::<RootAccountMfaEnabled>().on_schedule::<RootAccountMfaEnabled>().remediated::<RootAccountMfaEnabled>(),
];
