"""Has cfn-lint, checkov, cfn-guard and parliament examine the templates.

usage: lint_templates.py CFN_LINT

Reports that deploy/suppressions.yaml explains are left out; every other report, and every row of that file that explains
nothing, is printed and fails the run. cfn-guard's rules (deploy/rules.guard) are also run over a template that violates
each of them, since a rule that cannot fail guards nothing.
"""

import concurrent.futures
import importlib.metadata
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile

import parliament
import yaml

ROOT = pathlib.Path(__file__).parents[2]
# Region by partition and kind: the first one, two of the others, GovCloud and China.
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-1", "us-gov-west-1", "cn-north-1"]
TEMPLATES = ["template.yaml", "deploy/baseline.yaml", *sorted(
    str(path.relative_to(ROOT)) for path in ROOT.glob("deploy/controls/*.yaml")
)]
VIOLATING = "tests/python/violating.yaml"


def run(*command, codes=(0,)):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in codes:
        sys.exit(f"{command[0]}: exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


class Loader(yaml.SafeLoader):
    """Reads short forms of functions as `{"Sub": …}`."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    return {suffix: loader.construct_sequence(node, True)}


Loader.add_multi_constructor("!", short_form)


def resources(template):
    return yaml.load((ROOT / template).read_text(), Loader)["Resources"]


def cfn_lint(program):
    # 4, 8 and combinations of 2, 4 and 8: reports of these levels.
    out = run(program, "--format", "json", "--regions", *REGIONS, "--template", *TEMPLATES, codes=range(16))
    for it in json.loads(out):
        path = it["Location"]["Path"] or []
        resource = path[1] if path[:1] == ["Resources"] else "/".join(map(str, path))
        yield "cfn-lint", it["Rule"]["Id"], f"{it['Filename']}: {resource}", it["Message"]


def checkov():
    files = [part for template in TEMPLATES for part in ("--file", template)]
    options = ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json"]
    program = pathlib.Path(sys.executable).parent / "checkov"
    out = json.loads(run(sys.executable, str(program), *options, *files, codes=(0, 1)))
    for result in out if isinstance(out, list) else [out]:
        if result["summary"]["parsing_errors"]:
            sys.exit(f"checkov cannot read {result['results']['parsing_errors']}")
        for it in result["results"]["failed_checks"]:
            template = it["file_path"].lstrip("/")
            yield "checkov", it["check_id"], f"{template}: {it['resource'].rsplit('.', 1)[1]}", it["check_name"]


def guard():
    """cfn-guard's program, unpacked from the package that contains it."""
    target = pathlib.Path(sys.executable).parent / "cfn-guard"
    if not target.exists():
        system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
        machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
        [package] = [
            it for it in importlib.metadata.files("cdklabs.cdk-validator-cfnguard") if it.name.endswith(".jsii.tgz")
        ]
        with tarfile.open(fileobj=io.BytesIO(package.read_binary())) as archive:
            target.write_bytes(archive.extractfile(f"package/bin/{system}/{machine}/cfn-guard").read())
        os.chmod(target, 0o755)
    return str(target)


def guarded(*templates):
    """Each rule that a template does not pass: the rule, and the template."""
    data = [part for template in templates for part in ("--data", template)]
    options = ["--rules", "deploy/rules.guard", "--structured", "--output-format", "json", "--show-summary", "none"]
    out = run(guard(), "validate", *options, *data, codes=(0, 19))
    for result in json.loads(out):
        for rule in result["not_compliant"]:
            name = str(pathlib.Path(result["name"]))
            template = next(it for it in templates if name.endswith(it) or it.endswith(name))
            yield rule["Rule"]["name"], template


def cfn_guard():
    for rule, template in guarded(*TEMPLATES):
        yield "cfn-guard", rule, template, f"run cfn-guard validate -r deploy/rules.guard -d {template}"
    rules = set(re.findall(r"^rule (\w+)", (ROOT / "deploy/rules.guard").read_text(), re.M))
    for rule in rules - {rule for rule, _ in guarded(VIOLATING)}:
        yield "cfn-guard", rule, VIOLATING, "the template does not violate the rule: a rule that cannot fail?"


PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333", "AWS::StackName": "s"}


# An ARN of what a reference of this name means, by the first expression that matches.
ARNS = {
    "Role": "iam::111122223333:role/x", "Ledger": "dynamodb:us-east-1:111122223333:table/x", "Logs": "logs:us-east-1:111122223333:log-group:x:*",
    "Letters|Findings|Requests|Unanswered|Queue": "sqs:us-east-1:111122223333:x", "Policy": "iam::111122223333:policy/x",
    "ProtectedArns": "s3:::x", "Topic": "sns:us-east-1:111122223333:x", "Bus": "events:us-east-1:111122223333:event-bus/x",
}


def arn(name):
    return next((f"arn:aws:{it}" for pattern, it in ARNS.items() if re.search(pattern, name)), f"unknown {name}")


def plain(value):
    """A policy with made-up values in place of references."""
    if isinstance(value, list):
        return [it for it in map(plain, value) if it is not None]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(name, argument)] = value.items()
        match name:
            case "Ref":
                return None if argument == "AWS::NoValue" else PSEUDO.get(argument) or arn(argument)
            case "GetAtt":
                return arn(argument)
            case "If":
                return plain(argument[1])
            case "Sub":
                text = argument if isinstance(argument, str) else argument[0]
                value = lambda it: PSEUDO.get(it[1]) or (arn(it[1]) if it[1].endswith("Arn") else "x")
                return re.sub(r"\$\{([^}!]+)\}", value, text)
            case "Join":
                return argument[0].join(map(str, plain(argument[1])))
            case "Split":
                return [arn(str(argument))]
    return {key: it for key, it in ((key, plain(it)) for key, it in value.items()) if it is not None}


def policies(resource):
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        yield properties["PolicyDocument"]
    if resource["Type"] == "AWS::IAM::Role":
        for it in properties.get("Policies", []):
            for policy in it["If"][1:] if "If" in it else [it]:
                if "PolicyDocument" in policy:
                    yield policy["PolicyDocument"]


def iam():
    count = 0
    for template in TEMPLATES:
        for name, resource in resources(template).items():
            for policy in policies(resource):
                count += 1
                for it in parliament.analyze_policy_string(json.dumps(plain(policy))).findings:
                    yield "parliament", it.issue, f"{template}: {name}", f"{it.detail} {it.location}"
    if count < 100:
        sys.exit(f"parliament: only {count} policies found")


def main(program):
    rows = yaml.safe_load((ROOT / "deploy/suppressions.yaml").read_text())
    used, reports = set(), []
    linters = [lambda: list(cfn_lint(program)), lambda: list(checkov()), lambda: list(cfn_guard()), lambda: list(iam())]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = [it for reports in pool.map(lambda linter: linter(), linters) for it in reports]
    for linter, check, place, message in found:
        explained = [
            index for index, row in enumerate(rows)
            if (row["linter"], row["check"]) == (linter, check) and re.fullmatch(row["resources"], place)
        ]
        used.update(explained)
        if not explained:
            reports.append(f"{linter} {check}: {place}: {message}")
    for index, row in enumerate(rows):
        if index not in used:
            reports.append(f"deploy/suppressions.yaml: {row['linter']} {row['check']}: matches no report")
    for it in reports:
        print(it)
    if reports:
        sys.exit(f"{len(reports)} reports: fix the template, or give the reason in deploy/suppressions.yaml")


if __name__ == "__main__":
    main(sys.argv[1])
