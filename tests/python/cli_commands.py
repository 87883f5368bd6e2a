"""Compares AWS CLI commands with the service models of botocore, from which the AWS CLI derives its commands.

usage: cli_commands.py < COMMANDS

COMMANDS is a JSON list of {"call": {OPERATION: INPUT}, "command": TEXT}, with "isComplete": false for an input that only
shows the operation. A command is right if a shell splits it into the CLI's name of the service and of the operation, and
an input that the service accepts and that has every value of the call.

Prints the number of commands and exits 0, or prints each wrong one and exits 1.
"""

import json
import shlex
import sys

import botocore.session
from botocore import xform_name
from botocore.validate import ParamValidator

# The services that the CLI calls otherwise.
RENAMED = {"s3api": "s3", "configservice": "config"}
SESSION = botocore.session.get_session()
MODELS = {}


def model(service):
    if service not in MODELS:
        found = SESSION.get_service_model(RENAMED.get(service, service))
        MODELS[service] = found, {xform_name(name, "-"): name for name in found.operation_names}
    return MODELS[service]


def wrong_enums(shape, value, path=""):
    """The texts that the service does not list."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from wrong_enums(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for element in value:
            yield from wrong_enums(shape.member, element, f"{path}[]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {shape.enum}"


def leaves(value, name=""):
    """The values as text without their paths, since a member may be sent elsewhere: each with its own name."""
    if isinstance(value, dict):
        if "AttributeValue" in value:
            value = {**value, value["AttributeName"]: value["AttributeValue"]}
            del value["AttributeName"], value["AttributeValue"]
        return [leaf for key, inner in value.items() for leaf in leaves(inner, key)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner, name)]
    return [] if value is None else [(name, value if isinstance(value, str) else json.dumps(value))]


def errors(row):
    [(operation, sent)] = row["call"].items()
    if row["command"] is None:
        return [f"{operation} has no command"]
    program, service, name, *options = shlex.split(row["command"])
    options = dict(zip(options[::2], options[1::2], strict=True))
    given = json.loads(options.pop("--cli-input-json", "{}"))
    found, names = model(service)
    if (program, names.get(name)) != ("aws", operation):
        return [f"{service} {name} is {names.get(name)}, not {operation}"]
    if not row.get("isComplete", True):
        return []
    if set(options) != {"--region"}:
        return [f"its options are {sorted(options)}"]
    if sorted(leaves(given)) != sorted(leaves(sent)):
        return ["its input has other values than the call"]
    shape = found.operation_model(operation).input_shape
    if shape is None:
        return ["the operation has no input"] if given else []
    report = ParamValidator().validate(given, shape)
    return [report.generate_report()] if report.has_errors() else list(wrong_enums(shape, given))


def main():
    rows = json.load(sys.stdin)
    wrong = [f"{row['command']}\n  {error}" for row in rows for error in errors(row)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(len(rows))


if __name__ == "__main__":
    main()
