//! Every function of the EC2 controls in one program, for development: it serves the one that `RECTIFY_FUNCTION` names.

fn main() -> std::process::ExitCode {
    rectify_runtime::serve::by_name(rectify_ec2_lambda::FUNCTIONS)
}
