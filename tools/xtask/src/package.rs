//! The functions for deployment: built in one pass, laid out as `CodeUri` in `template.yaml` expects them.
//!
//! Knows binaries by the catalogue alone and selects the packages of `functions/` and no other, without the features of
//! `tools/workspace-hack`: the test features of the SDKs do not get into what is deployed. The selection is the same
//! whatever is requested, so that one control and all of them share what has been compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use clap::{Args, ValueEnum};
use rectify_compliance::Entry;
use serde_json::Value;

/// Where the functions are laid out, from the root of the repository.
pub const FOLDER: &str = "target/lambda";

/// Leaves out what development alone needs, see `tools/workspace-hack`.
const DEPLOYED: &str = "build.rustflags = ['--cfg', 'rectify_deployed']";

/// The package of what belongs to no control.
const PLATFORM: &str = "rectify-platform";

/// Its functions.
const PLATFORM_FUNCTIONS: [&str; 3] = ["attribution", "reconciler", "undo"];

/// The name that Lambda starts.
const PROGRAM: &str = "bootstrap";

/// What to build.
#[derive(Debug, Clone, Default, Args)]
pub struct Package {
    /// How much the compiler shrinks.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    pub profile: Profile,
    /// Only this control's functions; may be given again.
    #[arg(long = "control", value_name = "ID")]
    pub controls: Vec<String>,
    /// Rust target to build for, e.g. `aarch64-unknown-linux-gnu`; the machine's own by default.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Fail when a program is larger than this, in bytes: a check against growth.
    #[arg(long, value_name = "BYTES")]
    pub max_size: Option<u64>,
}

/// A profile of the workspace manifest that is fit for deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Small, quick to link again.
    #[default]
    Release,
    /// Smallest: what is published; a link takes most of a minute.
    Dist,
}

impl Profile {
    /// Its name in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }
}

/// One function, ready to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its binary.
    pub name: String,
    /// The program, from the root of the repository.
    pub path: PathBuf,
    /// The program's size in bytes.
    pub size: u64,
    /// The size of the zip file that is uploaded, in bytes; `None` where there is no `zip` to make one.
    pub zip: Option<u64>,
    /// The template's parameter `Architecture` that it fits.
    pub architecture: &'static str,
}

/// Why there is nothing to deploy.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// An id that no control has.
    #[error("--control: expected one of {expected}: received `{received}`")]
    UnknownControl {
        /// The ids there are.
        expected: String,
        /// What it was.
        received: String,
    },
    /// A program that cannot be started.
    #[error("{program}: {error}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The build ended badly; the compiler has said why.
    #[error("cargo build: {0}")]
    Build(ExitStatus),
    /// The build ended well, without this binary.
    #[error("cargo build: no executable `{0}`")]
    Missing(String),
    /// A program that Lambda cannot start.
    #[error("{}: expected a Linux program for x86-64 or arm64: pass --target", .0.display())]
    Foreign(PathBuf),
    /// A program that has grown past its bound.
    #[error("{name}: expected at most {bound} bytes: received `{size}`")]
    Grown {
        /// The function.
        name: String,
        /// The bound, bytes.
        bound: u64,
        /// Its size, bytes.
        size: u64,
    },
    /// A file that cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Builds the functions and lays them out under `root`, telling `say` what it is at.
///
/// Cargo's own progress goes to the standard error of this process. `CARGO_TARGET_DIR` and `CARGO_BUILD_JOBS` are
/// honoured; the functions are laid out in [`FOLDER`] in any case, since that is where the template looks.
///
/// # Errors
/// [`PackageError`]. A function whose build went wrong keeps the program it had.
pub fn package(
    root: &Path,
    controls: &[&'static Entry],
    wanted: &Package,
    mut say: impl FnMut(&str),
) -> Result<Vec<Function>, PackageError> {
    let binaries = binaries(controls, &wanted.controls)?;
    say(&format!("building {} functions, profile {}", binaries.len(), wanted.profile.name()));
    let built = build(root, &cargo_arguments(wanted, &binaries))?;
    let mut functions = Vec::new();
    for (at, name) in binaries.iter().enumerate() {
        let program = built.get(name).ok_or_else(|| PackageError::Missing(name.clone()))?;
        say(&format!("laying out {}/{} {name}", at + 1, binaries.len()));
        functions.push(lay_out(root, name, program)?);
    }
    within(&functions, wanted.max_size)?;
    Ok(functions)
}

/// Refuses the first program above the bound, if there is a bound.
fn within(functions: &[Function], bound: Option<u64>) -> Result<(), PackageError> {
    let Some(bound) = bound else { return Ok(()) };
    match functions.iter().find(|it| it.size > bound) {
        Some(grown) => Err(PackageError::Grown { name: grown.name.clone(), bound, size: grown.size }),
        None => Ok(()),
    }
}

/// The functions as a table, largest last, with what they must be deployed as.
pub fn table(functions: &[Function]) -> String {
    let mut functions: Vec<&Function> = functions.iter().collect();
    functions.sort_by_key(|it| (it.size, &it.name));
    let width = functions.iter().map(|it| it.name.len()).max().unwrap_or_default();
    let mut text = format!("{:width$}  {:>8}  {:>8}\n", "function", "size MB", "zip MB");
    for it in &functions {
        let zip = it.zip.map_or_else(|| "-".to_owned(), megabytes);
        text.push_str(&format!("{:width$}  {:>8}  {zip:>8}\n", it.name, megabytes(it.size)));
    }
    let architectures: BTreeSet<&str> = functions.iter().map(|it| it.architecture).collect();
    for architecture in architectures {
        text.push_str(&format!("deploy with Architecture={architecture}\n"));
    }
    if functions.iter().any(|it| it.zip.is_none()) {
        text.push_str("zip sizes need the program `zip`\n");
    }
    text
}

/// The binaries of the controls asked for; when none is, those of all and of no control.
fn binaries(controls: &[&'static Entry], ids: &[String]) -> Result<Vec<String>, PackageError> {
    if let Some(unknown) = ids.iter().find(|id| !controls.iter().any(|it| it.meta.id == id.as_str())) {
        let known: Vec<String> = controls.iter().map(|it| format!("`{}`", it.meta.id)).collect();
        return Err(PackageError::UnknownControl { expected: known.join(", "), received: unknown.clone() });
    }
    let asked = |it: &&&Entry| ids.is_empty() || ids.iter().any(|id| id == it.meta.id);
    let mut names = Vec::new();
    for control in controls.iter().filter(asked) {
        names.push(control.meta.id.to_owned());
        if control.remediation.is_some() {
            names.push(format!("{}-remediation", control.meta.id));
        }
    }
    if ids.is_empty() {
        names.extend(PLATFORM_FUNCTIONS.map(str::to_owned));
    }
    Ok(names)
}

fn cargo_arguments(wanted: &Package, binaries: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "build",
        "--config",
        DEPLOYED,
        "--locked",
        "--message-format",
        "json-render-diagnostics",
        "--profile",
        wanted.profile.name(),
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(target) = &wanted.target {
        arguments.extend(["--target".to_owned(), target.clone()]);
    }
    let services = rectify_catalogue::SERVICES.map(|service| format!("rectify-{service}-lambda"));
    for package in services.into_iter().chain([PLATFORM.to_owned()]) {
        arguments.extend(["--package".to_owned(), package]);
    }
    for binary in binaries {
        arguments.extend(["--bin".to_owned(), binary.clone()]);
    }
    arguments
}

/// Runs cargo and returns where each executable is.
fn build(root: &Path, arguments: &[String]) -> Result<BTreeMap<String, PathBuf>, PackageError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let refused = |error| PackageError::Start { program: cargo.display().to_string(), error };
    let output = Command::new(&cargo)
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(refused)?;
    if !output.status.success() {
        return Err(PackageError::Build(output.status));
    }
    Ok(executables(root, &String::from_utf8_lossy(&output.stdout)))
}

/// The executables in cargo's messages, by binary. What build scripts print between them is passed over.
fn executables(root: &Path, messages: &str) -> BTreeMap<String, PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let name = message.pointer("/target/name")?.as_str()?;
            let path = message.get("executable")?.as_str()?;
            Some((name.to_owned(), root.join(path)))
        })
        .collect()
}

/// Puts a program where the template looks for it. It is complete before it has its name.
fn lay_out(root: &Path, name: &str, program: &Path) -> Result<Function, PackageError> {
    let architecture = architecture(program)?;
    let path = Path::new(FOLDER).join(name).join(PROGRAM);
    let place = root.join(&path);
    let incoming = place.with_extension("incoming");
    let fault = |file: &Path| {
        let file = file.to_owned();
        move |error| PackageError::File { file, error }
    };
    if let Some(folder) = place.parent() {
        std::fs::create_dir_all(folder).map_err(fault(folder))?;
    }
    // A copy keeps the permissions, and cargo's binaries are executable.
    let size = std::fs::copy(program, &incoming).map_err(fault(&incoming))?;
    std::fs::rename(&incoming, &place).map_err(fault(&place))?;
    Ok(Function { name: name.to_owned(), zip: zip_size(&place)?, path, size, architecture })
}

/// What the program runs on, from its ELF header: `e_machine` is the word at byte 18.
fn architecture(program: &Path) -> Result<&'static str, PackageError> {
    let mut header = [0_u8; 20];
    std::fs::File::open(program)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|error| PackageError::File { file: program.to_owned(), error })?;
    match header {
        [0x7f, b'E', b'L', b'F', .., 0x3e, 0] => Ok("x86_64"),
        [0x7f, b'E', b'L', b'F', .., 0xb7, 0] => Ok("arm64"),
        _ => Err(PackageError::Foreign(program.to_owned())),
    }
}

/// How large the program is as an upload; `None` where there is no `zip`.
fn zip_size(program: &Path) -> Result<Option<u64>, PackageError> {
    let output = Command::new("zip").args(["-q", "-X", "-j", "-"]).arg(program).stdin(Stdio::null()).output();
    match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PackageError::Start { program: "zip".to_owned(), error }),
        Ok(output) if output.status.success() => Ok(u64::try_from(output.stdout.len()).ok()),
        Ok(output) => Err(PackageError::File {
            file: program.to_owned(),
            error: std::io::Error::other(format!("zip: {}", output.status)),
        }),
    }
}

/// Millions of bytes, one decimal; whole numbers throughout, so that the text never depends on rounding modes.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
