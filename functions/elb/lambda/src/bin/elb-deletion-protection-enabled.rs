//! The rule `elb-deletion-protection-enabled`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_elb::controls::elb_deletion_protection_enabled::ELB_DELETION_PROTECTION_ENABLED as CONTROL;
use rectify_elb_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
