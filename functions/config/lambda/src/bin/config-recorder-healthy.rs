//! The rule `config-recorder-healthy`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_config::controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY as CONTROL;
use rectify_config_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<_, Clients>(&CONTROL).serve()
}
