//! The archive of the command line: the program, its manual pages and completions, the license, and a checksum beside
//! it.
//!
//! The same program gives the same bytes: files are ordered by path and have neither a time nor an owner.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// The completion scripts: the name of the shell, and of the file.
const SHELLS: [(&str, &str); 3] = [("bash", "rectify.bash"), ("fish", "rectify.fish"), ("zsh", "_rectify")];

/// The version of every crate of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What to pack.
#[derive(Debug, Clone, Args)]
pub struct Dist {
    /// The folder for the archive and its checksum.
    #[arg(long, value_name = "FOLDER", default_value = "target/dist")]
    pub output: PathBuf,
    /// Pack this program instead of building one.
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// The profile to build with.
    #[arg(long, value_name = "PROFILE", default_value = "dist", conflicts_with = "program")]
    pub profile: String,
}

/// Why packing failed.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// A program that cannot be started, or that fails.
    #[error("{command}: {reason}")]
    Command {
        /// The command.
        command: String,
        /// The system error, or its status and output.
        reason: String,
    },
    /// A program without the target that it was compiled for, or without an executable.
    #[error("{command}: expected {expected} in its output")]
    Output {
        /// The command.
        command: String,
        /// What is missing.
        expected: &'static str,
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

/// Builds and packs the command line; returns the path of the archive. `SHA256SUMS` beside it is written too.
///
/// # Errors
/// [`DistError`].
pub fn pack(root: &Path, selection: &Dist) -> Result<PathBuf, DistError> {
    let program = match &selection.program {
        Some(program) => program.clone(),
        None => build(root, &selection.profile)?,
    };
    let name = format!("rectify-{VERSION}-{}", host()?);
    let bytes = compressed(&archive(&name, &files(root, &program)?).map_err(in_file(Path::new(&name)))?)
        .map_err(in_file(Path::new(&name)))?;
    std::fs::create_dir_all(&selection.output).map_err(in_file(&selection.output))?;
    let path = selection.output.join(format!("{name}.tar.gz"));
    std::fs::write(&path, &bytes).map_err(in_file(&path))?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = selection.output.join("SHA256SUMS");
    std::fs::write(&sums, format!("{digest}  {name}.tar.gz\n")).map_err(in_file(&sums))?;
    Ok(path)
}

/// One file of the archive.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Packed {
    path: String,
    mode: u32,
    content: Vec<u8>,
}

/// The program, with what it writes about itself, and the license.
fn files(root: &Path, program: &Path) -> Result<Vec<Packed>, DistError> {
    let read = |file: &Path| std::fs::read(file).map_err(in_file(file));
    let plain = |path: String, content: Vec<u8>| Packed { path, mode: 0o644, content };
    let mut files = vec![
        Packed { path: "rectify".to_owned(), mode: 0o755, content: read(program)? },
        plain("LICENSE".to_owned(), read(&root.join("LICENSE"))?),
    ];
    for (shell, file) in SHELLS {
        let mut command = Command::new(program);
        files.push(plain(format!("completions/{file}"), output(command.args(["completions", shell]))?));
    }
    let pages = tempfile::tempdir().map_err(in_file(&std::env::temp_dir()))?;
    output(Command::new(program).arg("man").arg(pages.path()))?;
    for entry in std::fs::read_dir(pages.path()).map_err(in_file(pages.path()))? {
        let page = entry.map_err(in_file(pages.path()))?.path();
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push(plain(format!("man/man1/{name}"), read(&page)?));
    }
    files.sort();
    Ok(files)
}

/// The files below one folder.
fn archive(folder: &str, files: &[Packed]) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(file.content.len()).unwrap_or(u64::MAX));
        header.set_mode(file.mode);
        header.set_entry_type(tar::EntryType::Regular);
        archive.append_data(&mut header, format!("{folder}/{}", file.path), file.content.as_slice())?;
    }
    archive.into_inner()
}

fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Builds the command line; returns the executable.
fn build(root: &Path, profile: &str) -> Result<PathBuf, DistError> {
    let mut command = Command::new(cargo());
    let arguments = ["build", "--locked", "--package", "rectify", "--bin", "rectify", "--message-format"];
    command.args(arguments).args(["json-render-diagnostics", "--profile", profile]).current_dir(root);
    let messages = output(&mut command)?;
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    };
    let executables = String::from_utf8_lossy(&messages).lines().filter_map(executable).next_back();
    executables.ok_or_else(|| DistError::Output { command: "cargo build".to_owned(), expected: "an executable" })
}

/// The target that the compiler builds for by default, e.g. `x86_64-unknown-linux-gnu`.
fn host() -> Result<String, DistError> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned);
    host.ok_or_else(|| DistError::Output { command: "rustc -vV".to_owned(), expected: "a line `host: …`" })
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// The standard output of a command that succeeds; its standard error goes to this process's.
fn output(command: &mut Command) -> Result<Vec<u8>, DistError> {
    let failed = |command: &Command, reason: String| DistError::Command {
        command: format!("{} {:?}", command.get_program().display(), command.get_args().collect::<Vec<_>>()),
        reason,
    };
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    match command.output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(failed(command, output.status.to_string())),
        Err(error) => Err(failed(command, error.to_string())),
    }
}

fn in_file(file: &Path) -> impl FnOnce(std::io::Error) -> DistError {
    let file = file.to_owned();
    move |error| DistError::File { file, error }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    /// A program that answers as the command line does.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    /// The paths and modes in an archive.
    fn contents(bytes: &[u8]) -> Vec<(String, u32)> {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut tar).unwrap();
        let mut archive = tar::Archive::new(tar.as_slice());
        let entries = archive.entries().unwrap().map(Result::unwrap);
        entries.map(|it| (it.path().unwrap().display().to_string(), it.header().mode().unwrap())).collect()
    }

    #[test]
    fn archive_has_everything_and_the_same_bytes_each_time() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("LICENSE"), "license").unwrap();
        let script = "case $1 in man) echo b > $2/rectify.1; echo a > $2/rectify-scan.1;; *) echo $2;; esac";
        let program = program(folder.path(), script);
        let pack = |name: &str| {
            let selection =
                Dist { output: folder.path().join(name), program: Some(program.clone()), profile: String::new() };
            let path = super::pack(folder.path(), &selection).unwrap();
            let sums = std::fs::read_to_string(folder.path().join(name).join("SHA256SUMS")).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap(), sums)
        };
        let (name, bytes, sums) = pack("first");
        // Another umask, time or owner must not show: the program's own mode was 0700.
        assert_eq!(pack("second"), (name.clone(), bytes.clone(), sums.clone()));
        let top = name.strip_suffix(".tar.gz").unwrap();
        assert!(top.starts_with(&format!("rectify-{VERSION}-")), "{name}");
        let expected = [
            ("LICENSE", 0o644),
            ("completions/_rectify", 0o644),
            ("completions/rectify.bash", 0o644),
            ("completions/rectify.fish", 0o644),
            ("man/man1/rectify-scan.1", 0o644),
            ("man/man1/rectify.1", 0o644),
            ("rectify", 0o755),
        ];
        assert_eq!(contents(&bytes), expected.map(|(path, mode)| (format!("{top}/{path}"), mode)));
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sums, format!("{digest}  {name}\n"));
    }

    #[test]
    fn program_that_fails_is_named_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("LICENSE"), "license").unwrap();
        let program = program(folder.path(), "exit 3");
        let output = folder.path().join("output");
        let selection = Dist { output: output.clone(), program: Some(program.clone()), profile: String::new() };
        let error = pack(folder.path(), &selection).unwrap_err().to_string();
        assert_eq!(error, format!("{} [\"completions\", \"bash\"]: exit status: 3", program.display()));
        assert!(!output.exists());
    }
}
