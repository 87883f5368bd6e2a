//! Undo, as a person or a pipeline invokes it.

fn main() -> std::process::ExitCode {
    rectify_platform::undo::serve()
}
