//! SNS controls: who may use a topic.
//!
//! No SDK is linked; the API calls are in `rectify-sns-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS;
