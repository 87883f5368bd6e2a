"""Writes releases of stub programs with `deploy/release.py`, checks what is in them, and deploys one to two accounts.

Usage: release.py <cfn-lint> <moto_server>, with the interpreter of the environment of `tests/requirements-release.txt`, which also runs the
script. A stub is an ELF header and the function's name: the script reads no more of a program.
"""

import ast
import collections
import hashlib
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile

import boto3
import hcl2
import yaml
from botocore import xform_name
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from sam_package import server
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


def functions(folder, sources, machine):
    """A stub for each function that the templates name."""
    names = {it for source in sources for it in re.findall(r"CodeUri: \S*target/lambda/([^/\s]+)/", source.read_text())}
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "bootstrap").write_bytes(stub(name, machine))
    return names


def run(*arguments):
    command = [sys.executable, ROOT / "deploy/release.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def release(stubs, templates, output):
    done = run("--functions", stubs, "--templates", templates, "--output", output, "--version", VERSION)
    assert done.returncode == 0, done.stderr
    return done.stdout, {it.relative_to(output).as_posix(): it.read_bytes() for it in output.rglob("*") if it.is_file()}


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


def some_services(folder):
    """The templates without those of three services: all controls are more than one template can hold."""
    left_out = {"Ec2Controls", "LogsControls", "S3Controls"}
    root = json.loads(json.dumps(yaml_parse((ROOT / "template.yaml").read_text())))
    names = lambda value: any(isinstance(it, str) and it in left_out for it in walk(value))
    root["Resources"] = {name: it for name, it in root["Resources"].items() if name not in left_out}
    variables = root["Resources"]["Attributor"]["Properties"]["Environment"]["Variables"]
    separator, roles = variables["OWN_ROLES"]["Fn::Join"]
    variables["OWN_ROLES"]["Fn::Join"] = [separator, [it for it in roles if not names(it)]]
    assert not names(root), "a template of three services less does not name them"
    (folder / "deploy/controls").mkdir(parents=True)
    (folder / "template.yaml").write_text(json.dumps(root))
    locations = [it["Properties"].get("Location") for it in root["Resources"].values()]
    for source in (ROOT / it for it in locations if it):
        shutil.copy(source, folder / "deploy/controls")


def check_stack_set(files):
    """`stack-set.yaml` has every resource once, with the condition of its nested stack, and nothing nested."""
    flat = yaml.safe_load(files["stack-set.yaml"])
    root = yaml.safe_load(files["template.yaml"])
    stacks = {name: it for name, it in root["Resources"].items() if it["Type"] == "AWS::CloudFormation::Stack"}
    assert flat["Parameters"] == root["Parameters"]
    expected = {name: it.get("Condition") for name, it in root["Resources"].items() if name not in stacks}
    for stack in stacks.values():
        nested = yaml.safe_load(files[stack["Properties"]["TemplateURL"]["Fn::Sub"].split(f"/{VERSION}/")[1]])
        for name, resource in nested["Resources"].items():
            conditions = [it for it in (stack.get("Condition"), resource.get("Condition")) if it]
            expected[name] = "And".join(dict.fromkeys(conditions)) or None
    assert {name: it.get("Condition") for name, it in flat["Resources"].items()} == expected
    assert "AtHomeAndUndoDeployed" in expected.values() and len(expected) > 300, len(expected)
    assert not any(isinstance(it, str) and ".Outputs." in it for it in walk(flat))
    assert not any(it.get("Type") == "AWS::CloudFormation::Stack" for it in flat["Resources"].values())
    # What a nested template gets as a parameter is named directly: no parameter of its own is left.
    fix = flat["Resources"]["SnsTopicNoPublicAccessFix"]["Properties"]
    assert fix["Environment"]["Variables"]["LEDGER_TABLE"] == {"Ref": "Ledger"}
    role = json.dumps(flat["Resources"]["SnsTopicNoPublicAccessFixRole"])
    assert json.dumps({"Fn::GetAtt": ["Ledger", "Arn"]}) in role and "LedgerArn" not in role, role


def check_organization(files, moto, folder):
    """Deploys `stack-set.yaml` as the stack set of `organization.yaml` does, to two accounts of an organization."""
    template = yaml.safe_load(files["organization.yaml"])
    flat = yaml.safe_load(files["stack-set.yaml"])
    parameters = template["Parameters"]
    assert {name: parameters[name] for name in flat["Parameters"]} == flat["Parameters"]
    process, endpoint = server(moto, folder)
    try:
        client = lambda service, **more: boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=more.get("account", "111122223333"),
            aws_secret_access_key="test",
        )
        s3 = client("s3")
        s3.create_bucket(Bucket="acme-us-east-1")
        s3.create_bucket(Bucket="acme-eu-west-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for path, content in files.items():
            for bucket in ("acme-us-east-1", "acme-eu-west-1"):
                s3.put_object(Bucket=bucket, Key=f"{VERSION}/{path}", Body=content)
        organizations = client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        root = organizations.list_roots()["Roots"][0]["Id"]
        unit = organizations.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
        accounts = []
        for name in ("one", "two"):
            created = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
            account = created["CreateAccountStatus"]["AccountId"]
            organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
            accounts.append(account)
        given = {name: str(it.get("Default", "")) for name, it in parameters.items()}
        given.update({"ArtifactBucketPrefix": "acme", "OrganizationalUnits": [unit], "Regions": ["us-east-1", "eu-west-1"]})
        # moto 5.2.5 leaves null where AWS::NoValue is an element of a list, as it is without protected ARNs.
        given["ProtectedArns"] = "arn:aws:s3:::acme-state"
        properties = resolve(template["Resources"]["Controls"]["Properties"], given)
        (group,) = properties.pop("StackInstancesGroup")
        preferences = properties.pop("OperationPreferences")
        properties["AutoDeployment"] = {key: it in (True, "true") for key, it in properties["AutoDeployment"].items()}
        for key in ("MaxConcurrentPercentage", "FailureTolerancePercentage"):
            preferences[key] = int(preferences[key])
        cloudformation = client("cloudformation")
        cloudformation.create_stack_set(**properties)
        name = properties["StackSetName"]
        cloudformation.create_stack_instances(StackSetName=name, OperationPreferences=preferences, **group)
        described = cloudformation.describe_stack_set(StackSetName=name)["StackSet"]
        assert described["PermissionModel"] == "SERVICE_MANAGED", described
        assert {it["ParameterKey"] for it in described["Parameters"]} == set(flat["Parameters"]), described
        found = cloudformation.list_stack_instances(StackSetName=name)["Summaries"]
        expected = {(account, region) for account in accounts for region in given["Regions"]}
        assert {(it["Account"], it["Region"]) for it in found} == expected, found
        # The global controls are in one region of an account.
        for region, is_home in (("us-east-1", True), ("eu-west-1", False)):
            names = deployed(endpoint, accounts[0], region)
            assert "rectify-sns-topic-no-public-access-fix" in names, names
            assert ("rectify-iam-root-access-key-check" in names) == is_home, (region, names)
    finally:
        process.terminate()
        process.wait()


def deployed(endpoint, account, region):
    """The names of the functions of an account and region."""
    place = {"endpoint_url": endpoint, "region_name": region}
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    sts = boto3.client("sts", **place, **keys)
    role = f"arn:aws:iam::{account}:role/reader"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    functions = boto3.client(
        "lambda",
        **place,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    pages = functions.get_paginator("list_functions").paginate()
    return {it["FunctionName"] for page in pages for it in page["Functions"]}


def resolve(value, given):
    """The intrinsics of `organization.yaml`, which CloudFormation resolves."""
    if isinstance(value, list):
        return [resolve(it, given) for it in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return given[value["Ref"]]
    if set(value) == {"Fn::Sub"}:
        pseudo = {"AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}
        return re.sub(r"\$\{([^}]+)\}", lambda match: {**given, **pseudo}[match[1]], value["Fn::Sub"])
    if set(value) == {"Fn::If"}:
        condition, yes, _ = value["Fn::If"]
        assert condition == "Automatic" and given["AutoDeployment"] == "true"
        return yes
    return {key: resolve(it, given) for key, it in value.items()}


def check_examples(files):
    """The examples of docs/organization.md fit the AWS CLI and the templates, and parse.

    Settings and commands of rectify are run by the suite.
    """
    page = (ROOT / "docs/organization.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL)
    blocks = [it for it in blocks if it[0] != "yaml" and not it[1].startswith("rectify ")]
    assert [kind for kind, _ in blocks] == ["sh", "sh", "sh", "hcl", "python"], blocks
    parameters = yaml.safe_load(files["organization.yaml"])["Parameters"]
    place = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    model = boto3.client("cloudformation", **place).meta.service_model
    operations = {xform_name(it, "-"): it for it in model.operation_names}
    assert "activate-organizations-access" in operations and "aws cloudformation activate-organizations-access" in page
    for kind, text in blocks:
        if kind == "sh":
            words = shlex.split(text)
            assert words[:2] == ["aws", "cloudformation"], words
            shape = model.operation_model(operations[words[2]]).input_shape
            known = {f"--{xform_name(it, '-')}" for it in shape.members} | {"--region", "--query"}
            used = {it for it in words if it.startswith("--")}
            assert used <= known, used - known
            given = set(re.findall(r"ParameterKey=(\w+)", text))
            required = {name for name, it in parameters.items() if "Default" not in it}
            assert given <= set(parameters) and (not given or required <= given), (given, required)
        elif kind == "hcl":
            (stack,) = hcl2.loads(text)["resource"]
            (body,) = (it for kinds in stack.values() for it in kinds.values())
            check_parameters(files["template.yaml"], body["parameters"])
        else:
            compile(text, "docs/organization.md", "exec")
            check_parameters(files["stack-set.yaml"], ast.literal_eval(re.search(r"parameters=(\{.*?\})", text)[1]))
    for name, it in parameters.items():
        row = re.search(rf"^\| `{name}` \|(.*?)\|", page, re.MULTILINE)
        if name not in yaml.safe_load(files["stack-set.yaml"])["Parameters"]:
            assert row and row[1].strip(" `") == str(it.get("Default", "")), name


def check_parameters(template, given):
    """The given parameters are those of the template, with all that have no default."""
    parameters = yaml.safe_load(template)["Parameters"]
    names = {str(it).strip('"') for it in given}
    required = {name for name, it in parameters.items() if "Default" not in it}
    assert required <= names <= set(parameters), names


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


def lint(cfn_lint, folder, paths):
    done = subprocess.run([cfn_lint, *(folder / it for it in paths)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def main(cfn_lint, moto):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        stubs, one, two = folder / "lambda", folder / "one", folder / "two"
        names = functions(stubs, SOURCES, X86_64)
        text, files = release(stubs, ROOT, one)
        check_templates(files, names)
        check_manifest(files, names)
        check_zips(one, names)
        check_sbom(files)
        check_refusals(folder, stubs)
        lint(cfn_lint, one, [it for it in files if it.endswith(".yaml")])
        if "stack-set.yaml" not in files:
            assert "stack-set.yaml and organization.yaml are not written: " in text, text

        some_services(folder / "some")
        text, files = release(stubs, folder / "some", two)
        assert "not written" not in text, text
        (two / "left.txt").write_text("from an earlier release")
        _, again = release(stubs, folder / "some", two)
        assert files == again, [it for it in {*files, *again} if files.get(it) != again.get(it)]
        check_stack_set(files)
        check_examples(files)
        lint(cfn_lint, two, ["stack-set.yaml", "organization.yaml"])
        check_organization(files, moto, folder)
    print(f"release: {len(names)} functions and {len(SOURCES)} templates; the same bytes twice; a stack set in two accounts")


if __name__ == "__main__":
    main(*sys.argv[1:])
