//! IAM controls: the root user, the password policy, users, and customer managed policies.
//!
//! IAM is global: every control here is evaluated in the home region only.
//! This crate is pure and uses no SDK; the API calls are in `rectify-iam-lambda`.

pub mod controls;
pub mod families;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::access_keys_rotated::ACCESS_KEYS_ROTATED;
pub use controls::iam_password_policy::IAM_PASSWORD_POLICY;
pub use controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS;
pub use controls::iam_policy_no_statements_with_full_access::IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS;
pub use controls::iam_root_access_key_check::IAM_ROOT_ACCESS_KEY_CHECK;
pub use controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
pub use controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK;
pub use controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK;
pub use controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
pub use controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED;
