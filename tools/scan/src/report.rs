//! The reports of a scan, each a pure function of its [`Scan`](crate::Scan).

pub mod html;
