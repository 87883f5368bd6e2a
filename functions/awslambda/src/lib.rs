//! AWS Lambda controls: who may invoke a function.
//!
//! No SDK is linked; the API calls are in `rectify-awslambda-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::lambda_function_public_access_prohibited::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED;
