//! The remediation of `lambda-function-public-access-prohibited`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_awslambda::controls::lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED as CONTROL;
use rectify_awslambda_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
