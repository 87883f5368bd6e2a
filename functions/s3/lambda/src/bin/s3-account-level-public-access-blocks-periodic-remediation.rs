//! The remediation of `s3-account-level-public-access-blocks-periodic`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_s3::controls::s3_account_level_public_access_blocks_periodic::S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC as CONTROL;
use rectify_s3_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
