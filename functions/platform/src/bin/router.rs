//! The router, as its queue invokes it.

fn main() -> std::process::ExitCode {
    rectify_platform::router::serve()
}
