//! The archive of the command line.

use super::*;

#[test]
fn archive_has_the_program_with_the_pages_and_completions_of_every_command() {
    let target = tempfile::tempdir().unwrap();
    // To pack a program with debug information takes minutes: this one only starts it.
    let program = target.path().join("program");
    std::fs::write(&program, format!("#!/bin/sh\nexec {}/rectify \"$@\"\n", folder().display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let selection =
        xtask::dist::Dist { output: target.path().to_owned(), program: Some(program), profile: String::new() };
    let archive = xtask::dist::pack(root(), &selection).unwrap();
    let unpacked = Command::new("tar").arg("xzf").arg(&archive).current_dir(target.path()).status().unwrap();
    assert!(unpacked.success());
    let sums = Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(target.path()).output().unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let top = target.path().join(archive.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap());
    let page = std::fs::read_to_string(top.join("man/man1/rectify-scan.1")).unwrap();
    assert!(page.contains("rectify scan"), "{page}");
    for file in ["completions/rectify.bash", "completions/_rectify", "completions/rectify.fish"] {
        assert!(std::fs::read_to_string(top.join(file)).unwrap().contains("restricted-ssh"), "{file}");
    }
    let version = Command::new(top.join("rectify")).arg("--version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"rectify "), "{version:?}");
}
