//! A scan of the demo's resources by the command line, without any function.

use super::run::{CreatedResource, command};
use super::{DemoError, SCENARIOS, Steps};
use crate::world::{ACCOUNT, LocalAwsConfig, World};

/// What is deployed for a scan: rules, so that AWS Config records their types, and nothing that acts.
pub const SETTINGS: &str = "mode: observe\nattribution: false\nreconcileEvery: off\n";

/// Exit codes of a scan that ran to its end: without and with findings.
const ENDED: [i32; 2] = [0, 2];

/// Creates the demo's resources and scans them with `rectify scan` and these arguments; returns whether it ran to its
/// end.
///
/// # Errors
/// [`DemoError`] when local AWS does not start, a resource cannot be created, or the program cannot be run.
pub async fn run(mut settings: LocalAwsConfig, arguments: &[String]) -> Result<bool, DemoError> {
    let steps = Steps::new(3);
    steps.begin("starting AWS Config and moto");
    let rectify = settings.binaries.join("rectify");
    (settings.defer_rules, settings.without_functions) = (true, true);
    let world = World::start(settings).await?;
    world.proxy().set_root_access_keys(1);
    steps.begin("creating resources");
    for scenario in SCENARIOS {
        CreatedResource::create(scenario, &world).await?;
    }
    world.tick().await?;
    steps.begin(&format!("rectify scan {}", arguments.join(" ")));
    steps.end();
    let status = command(&world, &rectify).env("AWS_ACCOUNT_ID", ACCOUNT).arg("scan").args(arguments).status().await;
    world.stop().await?;
    let status = status.map_err(|error| DemoError::CommandLine { program: rectify, why: error.to_string() })?;
    Ok(status.code().is_some_and(|code| ENDED.contains(&code)))
}
