//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "lambda-function-public-access-prohibited", serve: || rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&rectify_awslambda::controls::lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED).serve() },
    Function { name: "lambda-function-public-access-prohibited-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_awslambda::controls::lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_awslambda::controls::lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED),
];
