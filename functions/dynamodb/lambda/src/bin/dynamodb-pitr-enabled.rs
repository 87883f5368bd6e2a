//! The rule `dynamodb-pitr-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_dynamodb::controls::dynamodb_pitr_enabled::DYNAMODB_PITR_ENABLED as CONTROL;
use rectify_dynamodb_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change_and_schedule::<_, Clients>(&CONTROL).serve()
}
