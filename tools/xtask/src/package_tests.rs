#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::os::unix::fs::PermissionsExt;

use super::*;

fn all() -> Vec<&'static Entry> {
    rectify_catalogue::controls().collect()
}

/// A file that starts like a program for `machine` and is executable.
fn program(folder: &Path, name: &str, machine: u8) -> PathBuf {
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    bytes.resize(18, 0);
    bytes.extend([machine, 0]);
    bytes.resize(200_000, 0);
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn every_code_uri_of_the_template_is_built() {
    let optional = [("tickets".to_owned(), "queue".to_owned())];
    let templates = rectify_synth::synth("", &optional).unwrap();
    let lines =
        templates.values().flat_map(|text| text.lines()).filter_map(|line| line.trim().strip_prefix("CodeUri: "));
    let code_uris: std::collections::BTreeSet<&str> = lines
        .map(|uri| uri.trim_start_matches("../").strip_prefix("target/lambda/").unwrap().trim_end_matches('/'))
        .collect();
    let built = binaries(&all(), &[]).unwrap();
    assert_eq!(built.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), code_uris);
}

#[test]
fn one_control_is_built_with_the_same_package_selection_as_all() {
    let one = Package { controls: vec!["iam-root-access-key-check".to_owned()], ..Package::default() };
    let packages = |arguments: Vec<String>| -> Vec<String> {
        let pairs = arguments.windows(2).filter(|pair| pair[0] == "--package");
        pairs.map(|pair| pair[1].clone()).collect()
    };
    let names = binaries(&all(), &one.controls).unwrap();
    assert_eq!(names, ["iam-root-access-key-check", "iam-root-access-key-check-remediation"]);
    let selected = packages(cargo_arguments(&one, &names));
    assert_eq!(selected, packages(cargo_arguments(&Package::default(), &binaries(&all(), &[]).unwrap())));
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions")).unwrap();
    let services = folders.filter(|it| it.as_ref().unwrap().file_name() != "catalogue");
    assert_eq!(selected.len(), services.count(), "one package for each service and one for the platform");
}

#[test]
fn an_unknown_control_is_refused_with_the_known_ones() {
    let error = binaries(&all(), &["restricted-shh".to_owned()]).unwrap_err().to_string();
    assert!(error.starts_with("--control: expected one of `restricted-ssh`, "), "{error}");
    assert!(error.ends_with(": received `restricted-shh`"), "{error}");
}

#[test]
fn executables_are_found_among_other_messages() {
    let messages = "not json\n\
        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"serde\"},\"executable\":null}\n\
        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"a-rule\"},\"executable\":\"/t/release/a-rule\"}\n\
        {\"reason\":\"build-finished\",\"success\":true}\n";
    let found = executables(Path::new("/r"), messages);
    assert_eq!(found, BTreeMap::from([("a-rule".to_owned(), PathBuf::from("/t/release/a-rule"))]));
}

#[test]
fn a_program_is_laid_out_executable_and_replaces_the_previous_one() {
    let root = tempfile::tempdir().unwrap();
    let bootstrap = root.path().join("target/lambda/a-rule/bootstrap");
    std::fs::create_dir_all(bootstrap.parent().unwrap()).unwrap();
    std::fs::write(&bootstrap, "old").unwrap();

    let function = lay_out(root.path(), "a-rule", &program(root.path(), "built", 0x3e)).unwrap();

    assert_eq!((function.size, function.architecture), (200_000, "x86_64"));
    assert_eq!(root.path().join(&function.path), bootstrap);
    assert_eq!(std::fs::metadata(&bootstrap).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(std::fs::metadata(&bootstrap).unwrap().len(), 200_000);
    assert_eq!(std::fs::read_dir(bootstrap.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn a_program_for_another_architecture_is_refused_before_anything_is_written() {
    let root = tempfile::tempdir().unwrap();
    let foreign = program(root.path(), "built", 0x08);
    assert!(matches!(lay_out(root.path(), "a-rule", &foreign), Err(PackageError::Foreign(_))));
    std::fs::write(&foreign, "short").unwrap();
    assert!(matches!(lay_out(root.path(), "a-rule", &foreign), Err(PackageError::File { .. })));
    assert!(!root.path().join(FOLDER).exists());
    assert_eq!(architecture(&program(root.path(), "arm", 0xb7)).unwrap(), "arm64");
}

#[test]
fn a_program_above_the_maximum_size_is_reported_with_both_sizes() {
    let function =
        Function { name: "a-rule".to_owned(), path: PathBuf::new(), size: 11, zip: None, architecture: "x86_64" };
    let functions = [function];
    assert!(within(&functions, None).is_ok() && within(&functions, Some(11)).is_ok());
    let refused = within(&functions, Some(10)).unwrap_err();
    assert_eq!(refused.to_string(), "a-rule: expected at most 10 bytes: received `11`");
}

#[test]
fn the_table_ends_with_the_largest_function_and_reports_a_missing_zip() {
    let function = |name: &str, size, zip| Function {
        name: name.to_owned(),
        path: PathBuf::new(),
        size,
        zip,
        architecture: "x86_64",
    };
    let text = table(&[function("large-one", 7_249_999, None), function("small", 950_000, Some(349_999))]);
    let expected = "function    size MB    zip MB\n\
                  small           1.0       0.3\n\
                  large-one       7.2         -\n\
                  deploy with Architecture=x86_64\n\
                  install `zip` to see zip sizes\n";
    assert_eq!(text, expected);
}

#[test]
fn a_program_for_a_newer_glibc_is_refused_with_the_next_step() {
    // This test is itself linked against the glibc of this machine.
    let program = std::env::current_exe().unwrap();
    let needed = glibc(&std::fs::read(&program).unwrap()).unwrap().unwrap();
    assert!(needed.0 == 2 && needed.1 >= 17, "{needed:?}: Rust itself needs 2.17");

    starts_with(&program, needed).unwrap();
    let error = starts_with(&program, (needed.0, needed.1 - 1)).unwrap_err().to_string();

    let expected = format!(
        "{}: needs GLIBC_2.{}, and the Lambda runtime provided.al2023 has 2.{}: build on Amazon Linux 2023 or Debian 12, \
         or link for an older glibc: `cargo lambda build --release`, which uses zig",
        program.display(),
        needed.1,
        needed.1 - 1
    );
    assert_eq!(error, expected);
}

#[test]
fn versions_of_glibc_compare_by_number() {
    assert_eq!(glibc_version(b"GLIBC_2.34"), Some((2, 34)));
    assert_eq!(glibc_version(b"GLIBC_2.2.5"), Some((2, 2)));
    assert!(glibc_version(b"GLIBC_2.9") < glibc_version(b"GLIBC_2.34"));
    for other in [&b"GCC_3.0"[..], b"GLIBC_PRIVATE", b"GLIBC_2", b"GLIBC_\xff.1", b""] {
        assert_eq!(glibc_version(other), None);
    }
}

#[test]
fn a_static_program_needs_no_glibc_and_a_truncated_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    starts_with(&program(folder.path(), "static", 0x3e), (0, 0)).unwrap();

    let truncated = folder.path().join("truncated");
    let mut bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    bytes.truncate(4096);
    std::fs::write(&truncated, bytes).unwrap();
    let error = starts_with(&truncated, GLIBC).unwrap_err();
    assert!(matches!(error, PackageError::Malformed { .. }), "{error}");
    assert!(error.to_string().ends_with(": build it again"), "{error}");
}
