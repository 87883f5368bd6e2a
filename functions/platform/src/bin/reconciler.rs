//! The reconciler, as its schedule invokes it.

fn main() -> std::process::ExitCode {
    rectify_platform::reconciler::serve()
}
