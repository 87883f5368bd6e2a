"""Writes a release: the functions as zip files and the templates as CloudFormation without a transform.

Usage: release.py [--functions DIR] [--templates DIR] [--output DIR] [--version VERSION]. `make release` builds the
functions first.

The folder has, with paths from its root:

    template.yaml           the stack; its nested templates and its code come from S3
    controls/<service>.yaml one nested template
    stack-set.yaml          the same as one template, if it has no more resources than CloudFormation allows
    organization.yaml       the stack set that deploys stack-set.yaml to the accounts of an organization
    functions/<name>.zip    one function: the program `bootstrap`
    sbom.cdx.json           CycloneDX: the crates that the functions link
    manifest.json           version, architecture, and of each file above: path, SHA-256, bytes, kind
    SHA256SUMS              for `sha256sum --check`

The templates read `<version>/<path>` from a bucket in the region of the stack, named by the parameter
`ArtifactBucketPrefix` and the region: Lambda loads code only from a bucket of its own region.

The same functions, templates and `Cargo.lock` give the same bytes with the same zlib: no file has a time, an owner or a
path of this machine.
"""

import argparse
import hashlib
import io
import json
import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
import zipfile

import yaml
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from flat import STACK, flatten, organization
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = "target/lambda/"
BUCKET = "${ArtifactBucketPrefix}-${AWS::Region}"
# A hyphen and the longest name of a region leave this of the 63 characters of a bucket's name. No dots: TLS.
BUCKET_PARAMETER = {
    "Type": "String",
    "AllowedPattern": "[a-z0-9][a-z0-9-]{1,46}",
    "ConstraintDescription": "2 to 47 lowercase letters, digits and hyphens",
    "Description": "The release is in the bucket with this name, a hyphen and the region, as rectify publish puts it.",
}
# `e_machine` of the ELF header, the value of the template parameter `Architecture`, and Rust's target.
MACHINES = {
    0x3E: ("x86_64", "x86_64-unknown-linux-gnu"),
    0xB7: ("arm64", "aarch64-unknown-linux-gnu"),
}
# Below the limits of CloudFormation for a template in S3.
MAX_TEMPLATE_BYTES = 1_000_000
MAX_RESOURCES = 500


class Refusal(Exception):
    """Why no release is written: what, where, and the next step."""


def main():
    arguments = argparse.ArgumentParser(description="Writes a release.")
    arguments.add_argument("--functions", type=pathlib.Path, default=ROOT / CODE, help="default: target/lambda")
    arguments.add_argument("--templates", type=pathlib.Path, default=ROOT, help="the output folder of rectify synth")
    arguments.add_argument("--output", type=pathlib.Path, help="default: target/releases/<version>")
    arguments.add_argument("--version", help="default: that of Cargo.toml")
    given = arguments.parse_args()
    try:
        version = given.version or workspace_version()
        folder = given.output or ROOT / "target" / "releases" / version
        check_output(folder)
        files = release(given.functions, given.templates, version)
        write(folder, files)
    except Refusal as refusal:
        sys.exit(f"release: {refusal}")
    print(f"{folder}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")


def workspace_version():
    with (ROOT / "Cargo.toml").open("rb") as file:
        return tomllib.load(file)["workspace"]["package"]["version"]


def release(functions, templates, version):
    """Every file of the release: its path and its bytes."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", version):
        raise Refusal(f"--version: expected letters, digits, dots, hyphens and underscores: received `{version}`")
    sources = {"template.yaml": read_template(templates / "template.yaml")}
    for path in nested_paths(sources["template.yaml"]):
        sources[path] = read_template(templates / path)
    controls = controls_by_function(sources)
    programs = {name: read_program(functions, name) for name in sorted(controls)}
    machine = one_machine(programs)
    architecture, target = MACHINES[machine]

    files, kinds = {}, {}
    for name, program in programs.items():
        path = f"functions/{name}.zip"
        files[path] = zipped(program)
        kinds[path] = {"kind": "function", "architecture": architecture, **controls[name]}
    plain = {released(path): without_transform(path, it, version, architecture) for path, it in sources.items()}
    plain.update(for_organizations(plain, version))
    for path, it in plain.items():
        files[path] = rendered(it, version)
        kinds[path] = {"kind": "template"}
    files["sbom.cdx.json"] = sbom(version, target, set(programs))
    kinds["sbom.cdx.json"] = {"kind": "sbom"}
    entries = [
        {"path": path, "sha256": sha256(files[path]), "size": len(files[path]), **kinds[path]} for path in sorted(files)
    ]
    files["manifest.json"] = as_json({"version": version, "architecture": architecture, "files": entries})
    sums = [f"{sha256(files[path])}  {path}\n" for path in sorted(files)]
    files["SHA256SUMS"] = "".join(sums).encode()
    return files


def check_output(folder):
    """The folder is replaced: it must be absent, empty or an earlier release."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        raise Refusal(f"{folder}: expected an empty folder or an earlier release: pass another --output")


def write(folder, files):
    incoming = folder.with_name(f"{folder.name}.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    for path, content in files.items():
        file = incoming / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    incoming.rename(folder)


# Templates.


def read_template(path):
    try:
        return yaml_parse(path.read_text())
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}: run `make generate`") from error


def nested_paths(source):
    resources = source["Resources"].values()
    return [it["Properties"]["Location"] for it in resources if it["Type"] == "AWS::Serverless::Application"]


def released(path):
    """The path in the release of a template of the repository."""
    return path.removeprefix("deploy/")


def function_name(uri):
    """The name of a function from its `CodeUri`, which is relative to its template."""
    return uri.removeprefix("../../").removeprefix(CODE).rstrip("/")


def controls_by_function(sources):
    """The functions of the templates, each with its control and side, which platform functions do not have."""
    functions = {}
    for source in sources.values():
        resources = source["Resources"].values()
        rules = [it["Properties"]["ConfigRuleName"] for it in resources if it["Type"] == "AWS::Config::ConfigRule"]
        controls = {name["Fn::Sub"].removeprefix("${Prefix}") for name in rules}
        for resource in resources:
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            name = function_name(resource["Properties"]["CodeUri"])
            control = name.removesuffix("-remediation")
            if name in controls:
                functions[name] = {"control": name, "side": "rule"}
            elif control in controls:
                functions[name] = {"control": control, "side": "remediation"}
            else:
                functions[name] = {"side": "platform"}
    return functions


def without_transform(path, source, version, architecture):
    """The template as SAM transforms it."""
    parameters = source["Parameters"]
    parameters["ArtifactBucketPrefix"] = {"Type": "String"}
    if path == "template.yaml":
        parameters["ArtifactBucketPrefix"] = BUCKET_PARAMETER
        parameters["Architecture"].update({"Default": architecture, "AllowedValues": [architecture]})
        parameters["Architecture"]["Description"] = "The architecture of the functions of this release."
        groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        groups[0]["Parameters"].insert(0, "ArtifactBucketPrefix")
    for resource in source["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Application":
            resource["Type"] = STACK
            properties["TemplateURL"] = {"Fn::Sub": url(version, released(properties.pop("Location")))}
            properties["Parameters"]["ArtifactBucketPrefix"] = {"Ref": "ArtifactBucketPrefix"}
        elif resource["Type"] == "AWS::Serverless::Function":
            key = f"{version}/functions/{function_name(properties['CodeUri'])}.zip"
            properties["CodeUri"] = {"Bucket": {"Fn::Sub": BUCKET}, "Key": key}
            # It concerns `sam build` alone.
            resource.pop("Metadata", None)
    # SAM reads the partition from it, and warns of metrics that nothing collects.
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    plain = json.loads(json.dumps(Translator({}, Parser()).translate(source, {})))
    plain.pop("Transform", None)
    return plain


def url(version, path):
    """Where CloudFormation reads a file of the release, for `Fn::Sub`."""
    return f"https://{BUCKET}.s3.${{AWS::Region}}.${{AWS::URLSuffix}}/{version}/{path}"


def for_organizations(plain, version):
    """One template in place of all, and the stack set of it; none if CloudFormation would refuse it."""
    root = plain["template.yaml"]
    path = lambda stack: stack["Properties"]["TemplateURL"]["Fn::Sub"].rpartition(f"/{version}/")[2]
    nested = {name: plain[path(it)] for name, it in root["Resources"].items() if it["Type"] == STACK}
    flat = flatten(root, nested)
    number = len(flat["Resources"])
    if number > MAX_RESOURCES or len(rendered(flat, version)) > MAX_TEMPLATE_BYTES:
        print(
            f"stack-set.yaml and organization.yaml are not written: {number} resources, and a stack set takes a template of "
            f"{MAX_RESOURCES}: select fewer controls in rectify.yaml to deploy by a stack set"
        )
        return {}
    return {"stack-set.yaml": flat, "organization.yaml": organization(flat, url(version, "stack-set.yaml"))}


def rendered(plain, version):
    # A value in two places would be written as an anchor and an alias.
    plain = json.loads(json.dumps(plain))
    text = f"# Rectify {version}. Written by `make release`.\n" + yaml.safe_dump(plain, sort_keys=False, width=120)
    return text.encode()


# Functions.


def read_program(functions, name):
    path = functions / name / "bootstrap"
    try:
        program = path.read_bytes()
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}: run `make build`") from error
    if program[:4] != b"\x7fELF" or int.from_bytes(program[18:20], "little") not in MACHINES:
        raise Refusal(f"{path}: expected a Linux program for x86-64 or arm64: run `make build`")
    return program


def one_machine(programs):
    by_machine = {int.from_bytes(program[18:20], "little"): name for name, program in programs.items()}
    if len(by_machine) > 1:
        mixed = ", ".join(f"{name} is {MACHINES[machine][0]}" for machine, name in sorted(by_machine.items()))
        raise Refusal(f"expected one architecture: {mixed}: build all functions for the same target")
    return next(iter(by_machine))


def zipped(program):
    """A zip file with the program, executable, and without a time."""
    entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whatever this machine is: else the mode is ignored
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(entry, program, compresslevel=9)
    return buffer.getvalue()


# The bill of materials.


def sbom(version, target, binaries):
    """CycloneDX JSON of the crates that these binaries may link on this target, found by `cargo metadata`."""
    metadata = cargo_metadata(target)
    packages = {it["id"]: it for it in metadata["packages"]}
    dependencies = {node["id"]: linked(node) for node in metadata["resolve"]["nodes"]}
    owners = [it["id"] for it in packages.values() if binaries & {name["name"] for name in it["targets"]}]
    missing = binaries - {name["name"] for id in owners for name in packages[id]["targets"]}
    if missing:
        raise Refusal(f"no crate has the function {', '.join(sorted(missing))}: run `make generate`")
    checksums = locked_checksums()
    bom = Bom()
    main_component = Component(name="rectify", version=version, type=ComponentType.APPLICATION, bom_ref="rectify")
    bom.metadata.component = main_component
    components, found, open_ids = {}, set(owners), sorted(owners)
    while open_ids:
        id = open_ids.pop()
        components[id] = component(packages[id], checksums)
        bom.components.add(components[id])
        new = dependencies[id] - found
        found |= new
        open_ids.extend(sorted(new))
    for id, it in components.items():
        bom.register_dependency(it, [components[other] for other in dependencies[id]])
    bom.register_dependency(main_component, [components[id] for id in owners])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    # The time of the build would make every run differ; the number follows from the content instead.
    document["metadata"].pop("timestamp", None)
    document.pop("serialNumber", None)
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, sha256(as_json(document))).urn
    return as_json(document)


def cargo_metadata(target):
    # The functions are built without the features of tests and tools, as `xtask package` builds them.
    deployed = ["--config", "build.rustflags = ['--cfg', 'rectify_deployed']"]
    command = [os.environ.get("CARGO", "cargo"), *deployed, "metadata", "--locked", "--format-version", "1"]
    try:
        run = subprocess.run(
            [*command, "--filter-platform", target], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Refusal(f"{command[0]}: {error.strerror}: install Rust") from error
    if run.returncode:
        raise Refusal(f"cargo metadata: {run.stderr.strip()}")
    return json.loads(run.stdout)


def linked(node):
    """The ids of what a crate links: neither its build scripts' nor its tests' dependencies."""
    return {it["pkg"] for it in node["deps"] if any(kind["kind"] is None for kind in it["dep_kinds"])}


def locked_checksums():
    with (ROOT / "Cargo.lock").open("rb") as file:
        packages = tomllib.load(file)["package"]
    return {(it["name"], it["version"]): it["checksum"] for it in packages if "checksum" in it}


def component(package, checksums):
    name, version = package["name"], package["version"]
    is_published = package["source"] is not None
    checksum = checksums.get((name, version))
    # An old form of `OR`.
    license = (package["license"] or "").replace("/", " OR ")
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}@{version}",
        purl=PackageURL("cargo", None, name, version) if is_published else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=checksum)] if checksum else [],
        licenses=[LicenseFactory().make_from_string(license)] if license else [],
    )


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def as_json(document):
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


if __name__ == "__main__":
    main()
