//! The functions for deployment: built in one pass, laid out where `CodeUri` in `template.yaml` expects them.
//!
//! Knows the binaries only from the catalogue and selects only the packages of `functions/`, without the features of
//! `tools/workspace-hack`, so that deployed binaries contain no test features of the SDKs. The package selection is
//! always
//! the same, so that builds of one control and of all share compiled crates.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use clap::{Args, ValueEnum};
use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::FileHeader;
use rectify_compliance::Entry;
use serde_json::Value;

/// The folder of the functions, from the root of the repository.
pub const FOLDER: &str = "target/lambda";

/// Leaves out development-only features, see `tools/workspace-hack`.
const DEPLOYED: &str = "build.rustflags = ['--cfg', 'rectify_deployed']";

/// The package of the platform functions, which belong to no control.
const PLATFORM: &str = "rectify-platform";

/// The platform functions.
const PLATFORM_FUNCTIONS: [&str; 4] = ["attribution", "reconciler", "router", "undo"];

/// The glibc of the Lambda runtime `provided.al2023`, major and minor version.
const GLIBC: (u32, u32) = (2, 34);

/// The file name that Lambda starts.
const PROGRAM: &str = "bootstrap";

/// What to build.
#[derive(Debug, Clone, Default, Args)]
pub struct Package {
    /// How far the compiler optimizes for size.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    pub profile: Profile,
    /// Build only this control's functions; repeatable.
    #[arg(long = "control", value_name = "ID")]
    pub controls: Vec<String>,
    /// Rust target triple, e.g. `aarch64-unknown-linux-gnu`; default: the host.
    #[arg(long, value_name = "TRIPLE")]
    pub target: Option<String>,
    /// Fail if a program is larger than this, in bytes.
    #[arg(long, value_name = "BYTES")]
    pub max_size: Option<u64>,
}

/// A profile of the workspace manifest for deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Small, and quick to relink.
    #[default]
    Release,
    /// Smallest, for releases; linking takes most of a minute.
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

/// One function, ready for upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name of its binary.
    pub name: String,
    /// The program, from the root of the repository.
    pub path: PathBuf,
    /// The program's size in bytes.
    pub size: u64,
    /// The size of the uploaded zip file in bytes; `None` if `zip` is not installed.
    pub zip: Option<u64>,
    /// The value of the template parameter `Architecture` that it needs.
    pub architecture: &'static str,
}

/// Why packaging failed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// An id that no control has.
    #[error("--control: expected one of {expected}: received `{received}`")]
    UnknownControl {
        /// The known ids.
        expected: String,
        /// The received id.
        received: String,
    },
    /// A program that cannot be started.
    #[error("{program}: {error}")]
    Start {
        /// The program.
        program: String,
        /// The system error.
        error: std::io::Error,
    },
    /// The build failed; the compiler has printed the reason.
    #[error("cargo build: {0}")]
    Build(ExitStatus),
    /// The build succeeded, but without this binary.
    #[error("cargo build: no executable `{0}`")]
    Missing(String),
    /// A program that Lambda cannot start.
    #[error("{}: expected a Linux program for x86-64 or arm64: pass --target", .0.display())]
    Foreign(PathBuf),
    /// A program that cannot be parsed.
    #[error("{}: {error}: build it again", .program.display())]
    Malformed {
        /// The program.
        program: PathBuf,
        /// What is wrong with it.
        error: object::read::Error,
    },
    /// A program that exits with a linker error as soon as Lambda starts it.
    #[error(
        "{}: needs GLIBC_{}.{}, and the Lambda runtime provided.al2023 has {}.{}: build on Amazon Linux 2023 or Debian 12, \
         or link for an older glibc: `cargo lambda build --release`, which uses zig",
        .program.display(), .needed.0, .needed.1, .provided.0, .provided.1
    )]
    Glibc {
        /// The program.
        program: PathBuf,
        /// The newest symbol version that it needs.
        needed: (u32, u32),
        /// The newest one that the runtime has.
        provided: (u32, u32),
    },
    /// A program above its maximum size.
    #[error("{name}: expected at most {max} bytes: received `{size}`")]
    TooLarge {
        /// The function.
        name: String,
        /// The maximum, bytes.
        max: u64,
        /// Its size, bytes.
        size: u64,
    },
    /// A file that cannot be read or written.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system error.
        error: std::io::Error,
    },
}

/// Builds the functions and lays them out under `root`, reporting progress to `report`.
///
/// Cargo's own progress goes to the standard error of this process. `CARGO_TARGET_DIR` and `CARGO_BUILD_JOBS` are
/// honored; the functions are always laid out in [`FOLDER`], where the template expects them.
///
/// # Errors
/// [`PackageError`]. A function whose build fails keeps its previous program.
pub fn package(
    root: &Path,
    controls: &[&'static Entry],
    selection: &Package,
    mut report: impl FnMut(&str),
) -> Result<Vec<Function>, PackageError> {
    let binaries = binaries(controls, &selection.controls)?;
    report(&format!("building {} functions, profile {}", binaries.len(), selection.profile.name()));
    let built = build(root, &cargo_arguments(selection, &binaries))?;
    let mut functions = Vec::new();
    for (at, name) in binaries.iter().enumerate() {
        let program = built.get(name).ok_or_else(|| PackageError::Missing(name.clone()))?;
        report(&format!("laying out {}/{} {name}", at + 1, binaries.len()));
        functions.push(lay_out(root, name, program)?);
    }
    within(&functions, selection.max_size)?;
    Ok(functions)
}

/// Refuses the first program above the maximum size, if one is set.
fn within(functions: &[Function], max: Option<u64>) -> Result<(), PackageError> {
    let Some(max) = max else { return Ok(()) };
    match functions.iter().find(|it| it.size > max) {
        Some(function) => Err(PackageError::TooLarge { name: function.name.clone(), max, size: function.size }),
        None => Ok(()),
    }
}

/// The functions as a table, largest last, with the `Architecture` to deploy them with.
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
        text.push_str("install `zip` to see zip sizes\n");
    }
    text
}

/// The binaries of the requested controls; without a request, of all controls and of the platform.
fn binaries(controls: &[&'static Entry], ids: &[String]) -> Result<Vec<String>, PackageError> {
    if let Some(unknown) = ids.iter().find(|id| !controls.iter().any(|it| it.meta.id == id.as_str())) {
        let known: Vec<String> = controls.iter().map(|it| format!("`{}`", it.meta.id)).collect();
        return Err(PackageError::UnknownControl { expected: known.join(", "), received: unknown.clone() });
    }
    let is_requested = |it: &&&Entry| ids.is_empty() || ids.iter().any(|id| id == it.meta.id);
    let mut names = Vec::new();
    for control in controls.iter().filter(is_requested) {
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

fn cargo_arguments(selection: &Package, binaries: &[String]) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "build",
        "--config",
        DEPLOYED,
        "--locked",
        "--message-format",
        "json-render-diagnostics",
        "--profile",
        selection.profile.name(),
    ]
    .map(str::to_owned)
    .to_vec();
    if let Some(target) = &selection.target {
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

/// Runs cargo and returns the path of each executable.
fn build(root: &Path, arguments: &[String]) -> Result<BTreeMap<String, PathBuf>, PackageError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let start_error = |error| PackageError::Start { program: cargo.display().to_string(), error };
    let output = Command::new(&cargo)
        .args(arguments)
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(start_error)?;
    if !output.status.success() {
        return Err(PackageError::Build(output.status));
    }
    Ok(executables(root, &String::from_utf8_lossy(&output.stdout)))
}

/// The executables in cargo's messages, by binary. Output of build scripts in between is ignored.
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

/// Copies a program to the folder that the template expects. It gets its final name once it is complete.
fn lay_out(root: &Path, name: &str, program: &Path) -> Result<Function, PackageError> {
    let architecture = architecture(program)?;
    starts_with(program, GLIBC)?;
    let path = Path::new(FOLDER).join(name).join(PROGRAM);
    let bootstrap = root.join(&path);
    let incoming = bootstrap.with_extension("incoming");
    let file_error = |file: &Path| {
        let file = file.to_owned();
        move |error| PackageError::File { file, error }
    };
    if let Some(folder) = bootstrap.parent() {
        std::fs::create_dir_all(folder).map_err(file_error(folder))?;
    }
    // A copy keeps the permissions, and cargo's binaries are executable.
    let size = std::fs::copy(program, &incoming).map_err(file_error(&incoming))?;
    std::fs::rename(&incoming, &bootstrap).map_err(file_error(&bootstrap))?;
    Ok(Function { name: name.to_owned(), zip: zip_size(&bootstrap)?, path, size, architecture })
}

/// The architecture of a program, from its ELF header: `e_machine` is the 16-bit word at byte 18.
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

/// Refuses a program that needs a newer glibc than `provided`.
fn starts_with(program: &Path, provided: (u32, u32)) -> Result<(), PackageError> {
    let data = std::fs::read(program).map_err(|error| PackageError::File { file: program.to_owned(), error })?;
    let needed = glibc(&data).map_err(|error| PackageError::Malformed { program: program.to_owned(), error })?;
    match needed {
        Some(needed) if needed > provided => Err(PackageError::Glibc { program: program.to_owned(), needed, provided }),
        _ => Ok(()),
    }
}

/// The newest glibc of which a program needs a symbol, from `.gnu.version_r`; `None` for a static one.
fn glibc(data: &[u8]) -> object::read::Result<Option<(u32, u32)>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? else { return Ok(None) };
    let strings = sections.strings(endian, data, link)?;
    let mut newest = None;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            newest = newest.max(glibc_version(version.name(endian, strings)?));
        }
    }
    Ok(newest)
}

/// The version in a name such as `GLIBC_2.34` or `GLIBC_2.2.5`, whose third part decides nothing here.
fn glibc_version(name: &[u8]) -> Option<(u32, u32)> {
    let (major, rest) = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?.split_once('.')?;
    let minor = rest.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The size of the program as a zip file; `None` if `zip` is not installed.
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

/// Megabytes (10^6 bytes) with one decimal, computed in integers so that the text does not depend on float rounding.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
#[path = "package_tests.rs"]
mod tests;
