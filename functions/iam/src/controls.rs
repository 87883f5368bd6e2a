//! The controls, one file each; the folder of the same name holds a control's tests and one stored attempt.

pub mod access_keys_rotated;
pub mod iam_password_policy;
pub mod iam_policy_no_statements_with_admin_access;
pub mod iam_policy_no_statements_with_full_access;
pub mod iam_root_access_key_check;
pub mod iam_user_mfa_enabled;
pub mod iam_user_no_policies_check;
pub mod iam_user_unused_credentials_check;
pub mod mfa_enabled_for_iam_console_access;
pub mod root_account_mfa_enabled;

use rectify_compliance::Entry;
use rectify_compliance::entry::{on_change_and_schedule, on_item, on_schedule};

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[
    on_schedule(&access_keys_rotated::ACCESS_KEYS_ROTATED).remediated(),
    on_schedule(&iam_password_policy::IAM_PASSWORD_POLICY).remediated(),
    on_item(&iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS).remediated(),
    on_item(&iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS).remediated(),
    on_schedule(&iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK).remediated(),
    on_schedule(&iam_user_mfa_enabled::IAM_USER_MFA_ENABLED).remediated(),
    on_item(&iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK).remediated(),
    on_schedule(&iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK).remediated(),
    on_change_and_schedule(&mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS).remediated(),
    on_schedule(&root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED).remediated(),
];
