//! DynamoDB controls: whether tables can be restored.
//!
//! No SDK is linked; the API calls are in `rectify-dynamodb-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::dynamodb_pitr_enabled::DYNAMODB_PITR_ENABLED;
