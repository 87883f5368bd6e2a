//! The folder that `make release` wrote, verified against its manifest.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::cli_error::CliError;

/// The file that names the others.
pub(super) const MANIFEST: &str = "manifest.json";

/// The checksums for `sha256sum --check`; not in the manifest, which it covers.
const SUMS: &str = "SHA256SUMS";

/// A release.
#[derive(Debug)]
pub(super) struct Release {
    folder: PathBuf,
    /// The prefix of all keys.
    pub(super) version: String,
    /// All files, also the manifest.
    pub(super) files: Vec<File>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// From the root of the release, with slashes.
    pub(super) path: String,
    /// The SHA-256 of its content.
    pub(super) sha256: [u8; 32],
}

#[derive(Debug, Deserialize)]
struct Manifest {
    version: String,
    files: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    path: String,
    sha256: String,
}

impl Release {
    /// Reads the manifest and verifies every file.
    ///
    /// # Errors
    /// [`CliError::Usage`]: a file is missing, or differs from its checksum.
    pub(super) fn read(folder: &Path) -> Result<Self, CliError> {
        let wrong = |path: &str, why: &str| {
            CliError::Usage(format!("{}: {why}: run `make release` again", folder.join(path).display()))
        };
        let text = read(folder, MANIFEST)?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| wrong(MANIFEST, &error.to_string()))?;
        let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
        if !manifest.version.starts_with(|it: char| it.is_ascii_alphanumeric())
            || !manifest.version.chars().all(is_plain)
        {
            return Err(wrong(
                MANIFEST,
                &format!("version: expected letters, digits and .-_: received `{}`", manifest.version),
            ));
        }
        let mut files = Vec::new();
        for Listed { path, sha256 } in manifest.files {
            if !Path::new(&path).components().all(|it| matches!(it, Component::Normal(_))) {
                return Err(wrong(MANIFEST, &format!("expected a path within the release: received `{path}`")));
            }
            let found = digest(&read(folder, &path)?);
            if hex(&found) != sha256 {
                return Err(wrong(&path, &format!("expected SHA-256 {sha256}: received {}", hex(&found))));
            }
            files.push(File { path, sha256: found });
        }
        files.push(File { path: SUMS.to_owned(), sha256: digest(&read(folder, SUMS)?) });
        files.push(File { path: MANIFEST.to_owned(), sha256: digest(&text) });
        Ok(Self { folder: folder.to_owned(), version: manifest.version, files })
    }

    /// The key of a file.
    pub(super) fn key(&self, file: &File) -> String {
        format!("{}/{}", self.version, file.path)
    }

    /// The content of a file, read again: a release does not fit into memory.
    pub(super) fn content(&self, file: &File) -> Result<Vec<u8>, CliError> {
        read(&self.folder, &file.path)
    }
}

fn read(folder: &Path, path: &str) -> Result<Vec<u8>, CliError> {
    let path = folder.join(path);
    std::fs::read(&path).map_err(|error| CliError::Usage(format!("{}: {error}: run `make release`", path.display())))
}

fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A release with one template, and the manifest's entry of it replaced by `entry`.
    fn release(folder: &Path, version: &str, path: &str, sha256: &str) -> Result<Release, String> {
        std::fs::write(folder.join("template.yaml"), "Resources: {}\n").unwrap();
        std::fs::write(folder.join(SUMS), "sums\n").unwrap();
        let manifest = serde_json::json!({ "version": version, "files": [{ "path": path, "sha256": sha256 }] });
        std::fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
        Release::read(folder).map_err(|error| error.to_string())
    }

    #[test]
    fn every_file_is_verified() {
        let folder = tempfile::tempdir().unwrap();
        let right = hex(&digest(b"Resources: {}\n"));
        let read = release(folder.path(), "1.2.3", "template.yaml", &right).unwrap();
        let paths: Vec<&str> = read.files.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["template.yaml", SUMS, MANIFEST]);
        assert_eq!(read.key(&read.files[0]), "1.2.3/template.yaml");
        assert_eq!(read.content(&read.files[0]).unwrap(), b"Resources: {}\n");

        let wrong = "0".repeat(64);
        let rows = [
            (
                "1.2.3",
                "template.yaml",
                wrong.as_str(),
                format!("template.yaml: expected SHA-256 {wrong}: received {right}"),
            ),
            ("1.2.3", "absent.zip", &right, "absent.zip: No such file or directory".to_owned()),
            (
                "1.2.3",
                "../template.yaml",
                &right,
                "expected a path within the release: received `../template.yaml`".to_owned(),
            ),
            (
                "1.2.3",
                "/etc/hostname",
                &right,
                "expected a path within the release: received `/etc/hostname`".to_owned(),
            ),
            ("../1", "template.yaml", &right, "received `../1`".to_owned()),
            ("", "template.yaml", &right, "received ``".to_owned()),
        ];
        for (version, path, sha256, expected) in rows {
            let error = release(folder.path(), version, path, sha256).unwrap_err();
            assert!(error.contains(&expected) && error.contains("run `make release`"), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        let error = Release::read(empty.path()).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("manifest.json: No such file")), (2, true), "{error}");
    }
}
