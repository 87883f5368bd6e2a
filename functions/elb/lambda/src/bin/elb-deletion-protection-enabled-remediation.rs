//! The remediation of `elb-deletion-protection-enabled`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_elb::controls::elb_deletion_protection_enabled::ELB_DELETION_PROTECTION_ENABLED as CONTROL;
use rectify_elb_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
