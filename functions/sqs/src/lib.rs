//! SQS controls: who may use a queue, and whether its messages are encrypted.
//!
//! No SDK is linked; the API calls are in `rectify-sqs-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::sqs_queue_encrypted::SQS_QUEUE_ENCRYPTED;
pub use controls::sqs_queue_no_public_access::SQS_QUEUE_NO_PUBLIC_ACCESS;
