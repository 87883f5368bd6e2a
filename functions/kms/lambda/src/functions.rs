//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "cmk-backing-key-rotation-enabled", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED).serve() },
    Function { name: "cmk-backing-key-rotation-enabled-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED).serve() },
    Function { name: "kms-key-policy-no-public-access", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS).serve() },
    Function { name: "kms-key-policy-no-public-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED),
    || Operations::listed::<_, Clients>(&rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS),
];
