//! The rule `access-keys-rotated`, as AWS Config invokes it.

use rectify_iam::access_keys_rotated::AccessKeysRotated;
use rectify_iam_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::rule::on_schedule::<AccessKeysRotated, Clients>()
}
