"""Writes releases of stub programs with `deploy/release.py`, and checks what is in them.

Usage: release.py <cfn-lint>, with the interpreter of the environment of `deploy/requirements.txt`, which also runs the
script. A stub is an ELF header and the function's name: the script reads no more of a program.
"""

import collections
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).parents[2]
VERSION = "1.2.3-test"
SOURCES = [ROOT / "template.yaml", *sorted((ROOT / "deploy/controls").glob("*.yaml"))]
X86_64, ARM64 = 0x3E, 0xB7


def stub(name, machine):
    header = bytearray(64)
    header[:4] = b"\x7fELF"
    header[18] = machine
    return bytes(header) + name.encode()


def functions(folder, machine):
    """A stub for each function that the templates name."""
    names = {it for source in SOURCES for it in re.findall(r"CodeUri: \S*target/lambda/([^/\s]+)/", source.read_text())}
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "bootstrap").write_bytes(stub(name, machine))
    return names


def run(*arguments):
    command = [sys.executable, ROOT / "deploy/release.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def release(stubs, output):
    done = run("--functions", stubs, "--output", output, "--version", VERSION)
    assert done.returncode == 0, done.stderr
    return {it.relative_to(output).as_posix(): it.read_bytes() for it in output.rglob("*") if it.is_file()}


def walk(value):
    """The value and every value in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from walk(inner)


def intrinsics(template):
    """Every call of an intrinsic function and every reference, with its number."""
    calls = [it for it in walk(template) if isinstance(it, dict) and len(it) == 1]
    calls = [it for it in calls if next(iter(it)) == "Ref" or str(next(iter(it))).startswith("Fn::")]
    return collections.Counter(json.dumps(it, sort_keys=True) for it in calls)


def check_templates(files, names):
    used, nested, arns = set(), set(), 0
    for source in SOURCES:
        path = source.relative_to(ROOT).as_posix().removeprefix("deploy/")
        text = files[path].decode()
        before, after = yaml_parse(source.read_text()), yaml.safe_load(text)
        assert "Transform" not in after and "Serverless" not in text, path
        assert set(before["Parameters"]) | {"ArtifactBucketPrefix"} == set(after["Parameters"]), path
        for name, parameter in before["Parameters"].items():
            if name != "Architecture":
                assert after["Parameters"][name] == parameter, f"{path}: {name}"
        for section in ("Conditions", "Outputs"):
            assert before.get(section) == after.get(section), f"{path}: {section}"
        # SAM resolves what it knows: nothing that the region or a parameter decides may become a constant.
        lost = intrinsics(json.loads(json.dumps(before))) - intrinsics(after)
        assert not lost, f"{path}: {lost}"
        assert set(before["Resources"]) <= set(after["Resources"]), path
        for name, resource in before["Resources"].items():
            kept = after["Resources"][name]
            for key in ("Condition", "DeletionPolicy", "UpdateReplacePolicy", "DependsOn"):
                assert resource.get(key) == kept.get(key), f"{path}: {name}: {key}"
        assert text.count("arn:aws:") == source.read_text().count("arn:aws:"), path
        for resource in after["Resources"].values():
            properties = resource["Properties"]
            if resource["Type"] == "AWS::Lambda::Function":
                code = properties["Code"]
                assert code["S3Bucket"] == {"Fn::Sub": "${ArtifactBucketPrefix}-${AWS::Region}"}, code
                used.add(code["S3Key"])
                assert properties["Architectures"] == [{"Ref": "Architecture"}], properties
            if resource["Type"] == "AWS::CloudFormation::Stack":
                bucket, key = properties["TemplateURL"]["Fn::Sub"].split("/", 3)[2:]
                expected = "${ArtifactBucketPrefix}-${AWS::Region}.s3.${AWS::Region}.${AWS::URLSuffix}"
                assert bucket == expected, bucket
                nested.add(key)
    assert used == {f"{VERSION}/functions/{name}.zip" for name in names}, used
    assert nested == {f"{VERSION}/controls/{it.name}" for it in SOURCES[1:]}, nested
    assert {it.removeprefix(f"{VERSION}/") for it in used | nested} <= set(files)
    architecture = yaml.safe_load(files["template.yaml"])["Parameters"]["Architecture"]
    assert (architecture["Default"], architecture["AllowedValues"]) == ("x86_64", ["x86_64"]), architecture


def check_manifest(files, names):
    manifest = json.loads(files["manifest.json"])
    assert manifest["version"] == VERSION and manifest["architecture"] == "x86_64"
    entries = {it["path"]: it for it in manifest["files"]}
    assert set(entries) == set(files) - {"manifest.json", "SHA256SUMS"}
    for path, entry in entries.items():
        assert entry["sha256"] == hashlib.sha256(files[path]).hexdigest(), path
        assert entry["size"] == len(files[path]), path
    sums = [line.split("  ") for line in files["SHA256SUMS"].decode().splitlines()]
    expected = {path: hashlib.sha256(content).hexdigest() for path, content in files.items() if path != "SHA256SUMS"}
    assert {path: digest for digest, path in sums} == expected
    sides = collections.Counter(it["side"] for it in entries.values() if it["kind"] == "function")
    assert sides["platform"] == 3 and sides["rule"] > sides["remediation"] > 0, sides
    assert sum(sides.values()) == len(names)
    fix = entries["functions/restricted-ssh-remediation.zip"]
    assert (fix["control"], fix["side"], fix["architecture"]) == ("restricted-ssh", "remediation", "x86_64")


def check_zips(folder, names):
    for name in names:
        with zipfile.ZipFile(folder / "functions" / f"{name}.zip") as file:
            (entry,) = file.infolist()
            assert entry.filename == "bootstrap" and entry.external_attr >> 16 == 0o100755, entry
            assert entry.create_system == 3 and entry.date_time == (1980, 1, 1, 0, 0, 0), entry
            assert file.read(entry) == stub(name, X86_64)


def check_sbom(files):
    text = files["sbom.cdx.json"].decode()
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error
    document = json.loads(text)
    assert "timestamp" not in document["metadata"]
    found = {it["name"]: it for it in document["components"]}
    for crate in ("lambda_runtime", "aws-sdk-ec2", "rectify-s3-lambda", "rectify-platform"):
        assert crate in found, crate
    # What only tests and tools link is in no function.
    for crate in ("proptest", "clap", "axum", "rectify-testing"):
        assert crate not in found, crate
    assert found["lambda_runtime"]["hashes"] and found["lambda_runtime"]["purl"].startswith("pkg:cargo/lambda_runtime@")
    assert all(it["licenses"] for it in found.values())


def check_refusals(folder, stubs):
    def refusal(*arguments):
        done = run(*arguments, "--output", folder / "refused")
        assert done.returncode == 1 and not (folder / "refused").exists(), done
        return done.stderr

    program = stubs / "restricted-ssh" / "bootstrap"
    whole = program.read_bytes()
    try:
        program.write_bytes(b"#!/bin/sh\n")
        text = refusal("--functions", stubs)
        assert f"{program}: expected a Linux program for x86-64 or arm64: run `make build`" in text, text
        program.write_bytes(stub("restricted-ssh", ARM64))
        text = refusal("--functions", stubs)
        assert "restricted-ssh is arm64: build all functions for the same target" in text, text
        program.unlink()
        text = refusal("--functions", stubs)
        assert f"{program}: No such file or directory: run `make build`" in text, text
    finally:
        program.write_bytes(whole)
    text = refusal("--functions", stubs, "--version", "../1")
    assert "--version: expected letters, digits, dots, hyphens and underscores: received `../1`" in text, text
    other = folder / "other"
    other.mkdir()
    (other / "mine.txt").write_text("kept")
    done = run("--functions", stubs, "--output", other)
    assert done.returncode == 1 and "expected an empty folder or an earlier release" in done.stderr, done.stderr
    assert (other / "mine.txt").read_text() == "kept"


def main(cfn_lint):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        stubs = folder / "lambda"
        names = functions(stubs, X86_64)
        files = release(stubs, folder / "one")
        (folder / "one" / "left.txt").write_text("from an earlier release")
        again = release(stubs, folder / "one")
        assert files == again, [it for it in {*files, *again} if files.get(it) != again.get(it)]
        check_templates(files, names)
        check_manifest(files, names)
        check_zips(folder / "one", names)
        check_sbom(files)
        check_refusals(folder, stubs)
        templates = [folder / "one" / it for it in files if it.endswith(".yaml")]
        lint = subprocess.run([cfn_lint, *templates], capture_output=True, text=True, check=False)
        assert lint.returncode == 0, lint.stdout + lint.stderr
    print(f"release: {len(names)} functions and {len(SOURCES)} templates, the same bytes twice")


if __name__ == "__main__":
    main(*sys.argv[1:])
