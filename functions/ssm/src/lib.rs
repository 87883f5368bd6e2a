//! Systems Manager controls: whether documents are public.
//!
//! No SDK is linked; the API calls are in `rectify-ssm-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC;
