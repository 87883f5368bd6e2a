//! The calls to Systems Manager. The only place that names its SDK here; it maps answers and decides nothing.

mod documents;
mod functions;
mod sharing;

use aws_sdk_ssm::Client;
use aws_types::SdkConfig;
use rectify_runtime::client::Connect;

pub use functions::{FUNCTIONS, OPERATIONS};

/// The client of this crate's controls.
#[derive(Debug, Clone)]
pub struct Clients {
    ssm: Client,
}

impl Connect for Clients {
    fn connect(config: &SdkConfig) -> Self {
        Self { ssm: Client::new(config) }
    }
}
