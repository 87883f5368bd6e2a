//! The remediation of `config-recorder-healthy`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_config::controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY as CONTROL;
use rectify_config_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
