//! The remediation of `dynamodb-pitr-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_dynamodb::controls::dynamodb_pitr_enabled::DYNAMODB_PITR_ENABLED as CONTROL;
use rectify_dynamodb_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
