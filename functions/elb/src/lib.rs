//! Elastic Load Balancing controls: whether load balancers are protected from deletion.
//!
//! Application, Network and Gateway Load Balancers; Classic Load Balancers have another API. No SDK is linked; the API
//! calls are in `rectify-elb-lambda`.

pub mod controls;
pub mod resources;

pub use controls::CONTROLS;
pub use controls::elb_deletion_protection_enabled::ELB_DELETION_PROTECTION_ENABLED;
