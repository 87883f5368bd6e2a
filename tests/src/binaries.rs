//! The binaries built with this test; stale ones are an error.
//!
//! `cargo test` builds the binaries of its own package only: without `make programs sample` before it, an end-to-end
//! test would run old functions and pass for the wrong reason.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

/// The folder, or the first stale binary in it; checked once per run.
static FOLDER: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = here.ancestors().nth(2).ok_or("a test binary has a folder")?.to_owned();
    for name in names() {
        let binary = folder.join(&name);
        let sources = sources(&folder.join(format!("{name}.d")))
            .map_err(|error| format!("{}: {error}: run `make programs sample`", binary.display()))?;
        let built = modified(&binary).map_err(|error| format!("{}: {error}", binary.display()))?;
        if let Some(newer) = sources.iter().find(|source| modified(source).is_ok_and(|at| at > built)) {
            let (binary, newer) = (binary.display(), newer.display());
            return Err(format!("{binary} is older than {newer}: run `make programs sample`"));
        }
    }
    Ok(folder)
});

/// The folder of the built binaries.
///
/// # Panics
/// If a function or tool was not built, or its sources changed since.
pub fn folder() -> &'static Path {
    match FOLDER.as_ref() {
        Ok(folder) => folder,
        Err(stale) => panic!("{stale}"),
    }
}

/// The root of the repository.
///
/// # Panics
/// Never: this crate's folder has a parent.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate in a workspace")
}

/// A control of each service with remediations, whose two programs are built separately, to be compared with the program
/// of the service, which is deployed.
pub const SAMPLE: [&str; 14] = [
    "cmk-backing-key-rotation-enabled",
    "cloud-trail-encryption-enabled",
    "cloudwatch-alarm-root-usage",
    "config-recorder-healthy",
    "dynamodb-pitr-enabled",
    "elb-deletion-protection-enabled",
    "iam-root-access-key-check",
    "lambda-function-public-access-prohibited",
    "rds-instance-deletion-protection-enabled",
    "restricted-ssh",
    "s3-bucket-ssl-requests-only",
    "ssm-document-not-public",
    "sns-topic-no-public-access",
    "sqs-queue-no-public-access",
];

/// The programs of services, the sample of single functions, and the tools that end-to-end tests run.
fn names() -> Vec<String> {
    let functions = rectify_catalogue::SERVICES.iter().map(|service| format!("{service}-functions"));
    let sample = SAMPLE.iter().flat_map(|id| [(*id).to_owned(), format!("{id}-remediation")]);
    let others = ["platform-functions", "rectify", "rectify-local"].map(str::to_owned);
    functions.chain(sample).chain(others).collect()
}

/// The sources of a binary, from cargo's dep-info file: `binary: source source …`, spaces in paths escaped.
fn sources(dep_info: &Path) -> std::io::Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(dep_info)?;
    let (_, list) = text.split_once(": ").unwrap_or_default();
    let list = list.trim_end().replace("\\ ", "\0");
    Ok(list.split(' ').map(|path| PathBuf::from(path.replace('\0', " "))).collect())
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_is_read_with_spaces_in_paths() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "/t/a b: /s/one.rs /s/two\\ words.rs\n").expect("written");
        let expected = [PathBuf::from("/s/one.rs"), PathBuf::from("/s/two words.rs")];
        assert_eq!(sources(file.path()).expect("read"), expected);
    }
}
