//! Logic that several controls share: the same evaluation and plan with different values.

pub mod authorization;
pub mod exposure;
pub mod open_ports;
pub mod port_limits;
pub mod revocation;
