//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "sns-topic-no-public-access", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_sns::controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS).serve() },
    Function { name: "sns-topic-no-public-access-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_sns::controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS).serve() },
    Function { name: "sns-encrypted-kms", serve: || rectify_runtime::rule::on_change::<_, Clients>(&rectify_sns::controls::sns_encrypted_kms::SNS_ENCRYPTED_KMS).serve() },
    Function { name: "sns-encrypted-kms-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_sns::controls::sns_encrypted_kms::SNS_ENCRYPTED_KMS).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::of::<_, Clients>(&rectify_sns::controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS),
    || Operations::of::<_, Clients>(&rectify_sns::controls::sns_encrypted_kms::SNS_ENCRYPTED_KMS),
];
