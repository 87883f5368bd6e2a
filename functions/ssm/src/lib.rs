//! Systems Manager controls: whether documents are public, and whether they can be made public.
//!
//! No SDK is linked; the API calls are in `rectify-ssm-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::ssm_automation_block_public_sharing::SSM_AUTOMATION_BLOCK_PUBLIC_SHARING;
pub use controls::ssm_document_not_public::SSM_DOCUMENT_NOT_PUBLIC;
