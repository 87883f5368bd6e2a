//! One set of features for every selection of packages, so that the SDKs compile once.
//!
//! Cargo builds a dependency with the features that the selected packages enable. Without this crate,
//! `cargo build -p rectify-kms-lambda` and `cargo build --workspace` select different features of hyper and tokio, and every
//! SDK compiles once for each. `rectify-runtime` depends on this crate, and every crate that links an SDK depends on
//! `rectify-runtime`.
