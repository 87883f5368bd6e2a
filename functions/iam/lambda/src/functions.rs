//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "access-keys-rotated", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED).serve() },
    Function { name: "access-keys-rotated-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED).serve() },
    Function { name: "iam-password-policy", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY).serve() },
    Function { name: "iam-password-policy-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY).serve() },
    Function { name: "iam-policy-no-statements-with-admin-access", serve: || rectify_runtime::rule::on_item(&rectify_iam::controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS).serve() },
    Function { name: "iam-policy-no-statements-with-admin-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS).serve() },
    Function { name: "iam-policy-no-statements-with-full-access", serve: || rectify_runtime::rule::on_item(&rectify_iam::controls::iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS).serve() },
    Function { name: "iam-policy-no-statements-with-full-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS).serve() },
    Function { name: "iam-root-access-key-check", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK).serve() },
    Function { name: "iam-root-access-key-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK).serve() },
    Function { name: "iam-user-mfa-enabled", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED).serve() },
    Function { name: "iam-user-mfa-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED).serve() },
    Function { name: "iam-user-no-policies-check", serve: || rectify_runtime::rule::on_item(&rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK).serve() },
    Function { name: "iam-user-no-policies-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK).serve() },
    Function { name: "iam-user-unused-credentials-check", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK).serve() },
    Function { name: "iam-user-unused-credentials-check-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK).serve() },
    Function { name: "mfa-enabled-for-iam-console-access", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS).serve() },
    Function { name: "mfa-enabled-for-iam-console-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS).serve() },
    Function { name: "root-account-mfa-enabled", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_iam::controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED).serve() },
    Function { name: "root-account-mfa-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_iam::controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY),
    || Operations::of::<_, Clients>(&rectify_iam::controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS),
    || Operations::of::<_, Clients>(&rectify_iam::controls::iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED),
    || Operations::of::<_, Clients>(&rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS),
    || Operations::listed::<_, Clients>(&rectify_iam::controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED),
];
