//! The remediation of `sns-topic-no-public-access`, as EventBridge invokes it. Written by `xtask generate`.

use rectify_sns::controls::sns_topic_no_public_access::SNS_TOPIC_NO_PUBLIC_ACCESS as CONTROL;
use rectify_sns_lambda::Clients;

fn main() -> std::process::ExitCode {
    rectify_runtime::remediation::deployed::<_, Clients>(&CONTROL).serve()
}
