//! Every function of this service in one program, for development: it serves the one that `RECTIFY_FUNCTION` names.
//! Written by `xtask generate`.

fn main() -> std::process::ExitCode {
    rectify_runtime::serve::by_name(rectify_sns_lambda::FUNCTIONS)
}
