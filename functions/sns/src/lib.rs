//! SNS controls: who may use a topic, and whether its messages are encrypted.
//!
//! No SDK is linked; the API calls are in `rectify-sns-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::sns_encrypted_kms::SNS_ENCRYPTED_KMS;
pub use controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS;
