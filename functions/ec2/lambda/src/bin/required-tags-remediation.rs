//! The remediation of `required-tags`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_ec2::controls::required_tags::REQUIRED_TAGS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
