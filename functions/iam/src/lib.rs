//! IAM controls: the root user.
//!
//! IAM is global: every control here is evaluated in the home region only, with the account as its resource.
//! The pure half names no SDK; everything that calls IAM stands in `client.rs`, behind the feature `lambda`.
//!
//! | module | what |
//! |---|---|
//! | [`iam_root_access_key_check`] | the root user has access keys |
//! | `client` | reads the account summary; the only place that names `aws_sdk_iam` |

pub mod iam_root_access_key_check;

#[cfg(feature = "lambda")]
pub mod client;

use iam_root_access_key_check::IamRootAccessKeyCheck;
use rectify_compliance::Entry;

/// The controls of this crate.
pub const CONTROLS: &[Entry] = &[Entry::of::<IamRootAccessKeyCheck>()
    .on_schedule::<IamRootAccessKeyCheck>()
    .remediated::<IamRootAccessKeyCheck>()];

/// What the controls of this crate can do to a live account: read, apply, revert.
#[cfg(feature = "lambda")]
pub const OPERATIONS: &[rectify_runtime::Operations] =
    &[rectify_runtime::Operations::of::<IamRootAccessKeyCheck, client::Clients>()];
