//! The remediation of `config-recorder-healthy`, as EventBridge invokes it.

use rectify_config::config_recorder_healthy::ConfigRecorderHealthy;
use rectify_config_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<ConfigRecorderHealthy, Clients>()
}
