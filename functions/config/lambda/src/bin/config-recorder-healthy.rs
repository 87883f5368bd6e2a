//! The rule `config-recorder-healthy`, as AWS Config invokes it.

use rectify_config::config_recorder_healthy::ConfigRecorderHealthy;
use rectify_config_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<ConfigRecorderHealthy, Clients>()
}
