//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "ssm-document-not-public", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ssm::controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC).serve() },
    Function { name: "ssm-document-not-public-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ssm::controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC).serve() },
    Function { name: "ssm-automation-block-public-sharing", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_ssm::controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING).serve() },
    Function { name: "ssm-automation-block-public-sharing-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_ssm::controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_ssm::controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC),
    || Operations::listed::<_, Clients>(&rectify_ssm::controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING),
];
