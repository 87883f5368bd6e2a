//! Attribution, as its queue invokes it.

fn main() -> std::process::ExitCode {
    rectify_platform::attribution::serve()
}
