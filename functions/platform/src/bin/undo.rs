//! Undo, invoked by an operator or a pipeline.

fn main() -> std::process::ExitCode {
    rectify_platform::undo::serve()
}
