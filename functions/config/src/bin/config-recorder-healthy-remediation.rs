//! The remediation of `config-recorder-healthy`, as EventBridge invokes it.

use rectify_config::client::Clients;
use rectify_config::config_recorder_healthy::ConfigRecorderHealthy;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::serve::<ConfigRecorderHealthy, Clients>()
}
