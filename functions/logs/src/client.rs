//! The only place that names an SDK: lists, reads live, applies and reverts. Decides nothing.
//!
//! Every SDK type becomes one of ours before it leaves this module.

mod log_groups;

use aws_types::SdkConfig;
use rectify_runtime::edge::Connect;

/// The clients of this crate, for one account and region.
#[derive(Debug, Clone)]
pub struct Clients {
    logs: aws_sdk_cloudwatchlogs::Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { logs: aws_sdk_cloudwatchlogs::Client::new(config) }
    }
}
