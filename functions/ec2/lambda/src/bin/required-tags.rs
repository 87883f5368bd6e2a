//! The rule `required-tags`, as AWS Config invokes it. Written by `xtask generate`.

use rectify_ec2::controls::required_tags::REQUIRED_TAGS as CONTROL;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<_, Clients>(&CONTROL).serve()
}
