//! The functions of this service, and what an operator can do with its controls. Written by `xtask generate`.

use rectify_runtime::operations::Operations;
use rectify_runtime::serve::Function;

use crate::Clients;

/// The functions, by the name of their program.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { name: "config-recorder-healthy", serve: || rectify_runtime::rule::on_schedule::<_, Clients>(&rectify_config::controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY).serve() },
    Function { name: "config-recorder-healthy-remediation", serve: || rectify_runtime::remediation::deployed::<_, Clients>(&rectify_config::controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY).serve() },
];

/// What an operator can do with each control: read, apply, undo.
#[rustfmt::skip]
pub const OPERATIONS: &[fn() -> Operations] = &[
    || Operations::listed::<_, Clients>(&rectify_config::controls::config_recorder_healthy::CONFIG_RECORDER_HEALTHY),
];
