//! The clients, the only place that names an SDK: listings, live reads, fixes and undo. They decide nothing.
//!
//! SDK types are converted to domain types before they leave this crate.

mod alarm_chains;
mod functions;
mod log_groups;
mod metrics;
mod organization;
mod topics;

use aws_types::SdkConfig;
use rectify_cloudtrail_lambda::TrailReader;
use rectify_runtime::client::Connect;

pub use functions::{FUNCTIONS, OPERATIONS};

/// The clients of this crate, for one account and region.
#[derive(Debug, Clone)]
pub struct Clients {
    cloudwatch: aws_sdk_cloudwatch::Client,
    kms: aws_sdk_kms::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    organizations: aws_sdk_organizations::Client,
    sns: aws_sdk_sns::Client,
    trails: TrailReader,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            organizations: aws_sdk_organizations::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            trails: TrailReader::connect(config),
        }
    }
}
