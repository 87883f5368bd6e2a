//! The settings of local AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rectify_synth::Templates;

use crate::host::HostSettings;

/// How to start local AWS.
#[derive(Debug, Clone)]
pub struct LocalAwsConfig {
    /// The templates to deploy.
    pub templates: Templates,
    /// The folder with the built programs. A function runs `<binaries>/<name>/bootstrap` if there is one, else the
    /// program `<binaries>/<service>-functions` that lists its name, else `<binaries>/<name>`.
    pub binaries: PathBuf,
    /// Programs to run instead of the binary of that name: tests replace binaries with broken ones.
    pub replacements: BTreeMap<String, PathBuf>,
    /// E.g. `us-east-1`.
    pub region: String,
    /// The address of the proxy, e.g. `127.0.0.1:4599`; port 0 picks a free port.
    pub listen: String,
    /// The folder for the logs of the emulator and the functions.
    pub logs: PathBuf,
    /// Variables for every function besides the endpoints; `AWS_MAX_ATTEMPTS` defaults to 1.
    pub environment: BTreeMap<String, String>,
    /// The maximum number of concurrent processes of one function.
    pub instances: usize,
    /// Whether to leave out the Config rules until [`put_rules`](super::World::put_rules), so that resources exist
    /// before them.
    pub defer_rules: bool,
    /// Deploy no function: for a world in which no rule is put, so that only the command line acts.
    pub without_functions: bool,
    /// The waits before the second and third attempt of an asynchronous event; Lambda waits 1 and 2 minutes.
    pub retry_waits: [Duration; 2],
    /// The timeout of [`settle`](super::World::wait_until_idle).
    pub patience: Duration,
}

/// The suffix of a program that contains several functions.
const SHARED: &str = "-functions";

/// Maps a function's binary to the program that runs it.
pub(super) struct Programs<'a> {
    settings: &'a LocalAwsConfig,
    shared: BTreeMap<String, PathBuf>,
}

impl Programs<'_> {
    /// The program for the function with this binary.
    pub(super) fn of(&self, binary: &str) -> PathBuf {
        if let Some(replacement) = self.settings.replacements.get(binary) {
            return replacement.clone();
        }
        let deployed = self.settings.binaries.join(binary).join("bootstrap");
        if deployed.is_file() {
            return deployed;
        }
        self.shared.get(binary).cloned().unwrap_or_else(|| self.settings.binaries.join(binary))
    }
}

impl LocalAwsConfig {
    /// These templates in us-east-1, any free port, one process per function, a timeout of one minute.
    #[must_use]
    pub fn new(templates: Templates, binaries: &Path, logs: &Path) -> Self {
        Self {
            templates,
            binaries: binaries.to_owned(),
            replacements: BTreeMap::new(),
            region: "us-east-1".to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            logs: logs.to_owned(),
            environment: BTreeMap::new(),
            instances: 1,
            defer_rules: false,
            without_functions: false,
            retry_waits: [Duration::from_millis(200), Duration::from_millis(400)],
            patience: Duration::from_secs(60),
        }
    }

    /// The partition of the region.
    pub(super) fn partition(&self) -> String {
        rectify_compliance::Region::new(self.region.as_str()).partition().as_str().to_owned()
    }

    /// The programs of the functions.
    ///
    /// # Errors
    /// A program with several functions that cannot be run to list them.
    pub(super) fn programs(&self) -> Result<Programs<'_>, (PathBuf, std::io::Error)> {
        let mut shared = BTreeMap::new();
        for entry in std::fs::read_dir(&self.binaries).into_iter().flatten().flatten() {
            let program = entry.path();
            if !program.file_name().is_some_and(|name| name.to_string_lossy().ends_with(SHARED)) {
                continue;
            }
            let listed = Command::new(&program).arg("--list").output().map_err(|error| (program.clone(), error))?;
            for name in String::from_utf8_lossy(&listed.stdout).lines() {
                shared.insert(name.to_owned(), program.clone());
            }
        }
        Ok(Programs { settings: self, shared })
    }

    /// The host's settings: functions get local AWS's endpoint and nothing of this process's environment.
    pub(super) fn host(&self, endpoint: &str) -> HostSettings {
        let mut host = HostSettings::new(&self.region, self.logs.join("functions"));
        host.instances = self.instances;
        host.retry_waits = self.retry_waits;
        host.environment = BTreeMap::from([
            ("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned()),
            ("AWS_ENDPOINT_URL_CONFIG_SERVICE".to_owned(), endpoint.to_owned()),
            ("AWS_MAX_ATTEMPTS".to_owned(), "1".to_owned()),
        ]);
        host.environment.extend(self.environment.clone());
        host
    }
}
