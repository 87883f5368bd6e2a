//! The rule of `required-tags`.

use rectify_ec2::RequiredTags;
use rectify_ec2_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_change::<RequiredTags, Clients>()
}
