"""One template in place of a template and its nested ones, and the stack set that deploys it to an organization.

With its own role, StackSets deploys no nested stacks.
"""

import re

STACK = "AWS::CloudFormation::Stack"
NAME = re.compile(r"\$\{(?!!)([^}]+)\}")


class Conflict(Exception):
    """Two templates declare different things under one name."""


def flatten(root, nested):
    """The root template with the resources of its nested stacks, whose templates `nested` has by logical id."""
    stacks = {name: it for name, it in root["Resources"].items() if it["Type"] == STACK}
    resources = {name: it for name, it in root["Resources"].items() if name not in stacks}
    conditions = dict(root.get("Conditions", {}))
    outputs = {}
    for name, stack in stacks.items():
        values = stack["Properties"].get("Parameters", {})
        template = {key: replaced(nested[name].get(key, {}), values) for key in ("Conditions", "Resources", "Outputs")}
        merge(conditions, template["Conditions"], name)
        for resource in template["Resources"].values():
            require(resource, stack.get("Condition"), conditions)
        merge(resources, template["Resources"], name)
        outputs.update({f"{name}.Outputs.{key}": it["Value"] for key, it in template["Outputs"].items()})
    flat = {key: value for key, value in root.items() if key not in ("Conditions", "Resources")}
    flat["Conditions"] = conditions
    flat["Resources"] = resolved(resources, outputs)
    if "Outputs" in root:
        flat["Outputs"] = resolved(root["Outputs"], outputs)
    return flat


def merge(all_of_them, new, name):
    for key, value in new.items():
        if all_of_them.setdefault(key, value) != value:
            raise Conflict(f"{name}: {key}: another template declares a different {key}")


def require(resource, condition, conditions):
    """Makes a resource depend on the condition of its stack too."""
    own = resource.get("Condition")
    if condition is None or own == condition:
        return
    if own is None:
        resource["Condition"] = condition
        return
    both = f"{condition}And{own}"
    conditions[both] = {"Fn::And": [{"Condition": condition}, {"Condition": own}]}
    resource["Condition"] = both


def replaced(value, parameters):
    """The value with what the parameters of its template stand for."""
    if isinstance(value, list):
        return [replaced(it, parameters) for it in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in parameters:
        return parameters[value["Ref"]]
    if set(value) == {"Fn::Sub"}:
        return {"Fn::Sub": substituted(value["Fn::Sub"], parameters)}
    return {key: replaced(it, parameters) for key, it in value.items()}


def substituted(argument, parameters):
    text, variables = argument if isinstance(argument, list) else (argument, {})
    variables = replaced(variables, parameters)

    def name(match):
        given = parameters.get(match[1])
        if match[1] in variables or given is None:
            return match[0]
        if isinstance(given, dict) and set(given) == {"Ref"}:
            return f"${{{given['Ref']}}}"
        if isinstance(given, dict) and set(given) == {"Fn::GetAtt"}:
            return f"${{{'.'.join(given['Fn::GetAtt'])}}}"
        variables[match[1]] = given
        return match[0]

    text = NAME.sub(name, text)
    return [text, variables] if variables else text


def resolved(value, outputs):
    """The value with the outputs of nested stacks in place of references to them."""
    if isinstance(value, list):
        return [resolved(it, outputs) for it in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::GetAtt"} and ".".join(value["Fn::GetAtt"]) in outputs:
        return outputs[".".join(value["Fn::GetAtt"])]
    return {key: resolved(it, outputs) for key, it in value.items()}


def organization(flat, url):
    """A stack set of the flat template at `url`, with the parameters of that template as its own."""
    own = {
        "OrganizationalUnits": {
            "Type": "CommaDelimitedList",
            "AllowedPattern": "(ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})",
            "ConstraintDescription": "ids of organizational units, or the id of the root",
            "Description": "Ids of the organizational units to deploy to, comma-separated. The management account is not deployed to.",
        },
        "Regions": {
            "Type": "CommaDelimitedList",
            "Description": "The regions to deploy to, comma-separated; the home region of global controls among them.",
        },
        "CallAs": {
            "Type": "String",
            "Default": "SELF",
            "AllowedValues": ["SELF", "DELEGATED_ADMIN"],
            "Description": "SELF in the management account, DELEGATED_ADMIN in an account that administers StackSets.",
        },
        "AutoDeployment": {
            "Type": "String",
            "Default": "true",
            "AllowedValues": ["true", "false"],
            "Description": "Whether accounts that join an organizational unit get a stack, and accounts that leave lose it.",
        },
        "MaxConcurrentPercentage": {
            "Type": "Number",
            "Default": 20,
            "MinValue": 1,
            "MaxValue": 100,
            "Description": "The share of the accounts of a region in which stacks change at the same time, percent.",
        },
        "FailureTolerancePercentage": {
            "Type": "Number",
            "Default": 0,
            "MinValue": 0,
            "MaxValue": 100,
            "Description": "The share of the accounts of a region that may fail before the operation stops, percent.",
        },
    }
    merge(own, flat["Parameters"], "organization.yaml")
    given = [{"ParameterKey": name, "ParameterValue": {"Ref": name}} for name in flat["Parameters"]]
    properties = {
        "StackSetName": {"Fn::Sub": "${Prefix}controls"},
        "Description": flat["Description"],
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": {"Ref": "CallAs"},
        "Capabilities": ["CAPABILITY_IAM"],
        "TemplateURL": {"Fn::Sub": url},
        "Parameters": given,
        # The ledger of an account outlives its stack.
        "AutoDeployment": {
            "Enabled": {"Ref": "AutoDeployment"},
            "RetainStacksOnAccountRemoval": {"Fn::If": ["Automatic", False, {"Ref": "AWS::NoValue"}]},
        },
        "ManagedExecution": {"Active": True},
        "OperationPreferences": {
            # The next region only after one without failures: a mistake does not reach them all.
            "RegionConcurrencyType": "SEQUENTIAL",
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
            "MaxConcurrentPercentage": {"Ref": "MaxConcurrentPercentage"},
            "FailureTolerancePercentage": {"Ref": "FailureTolerancePercentage"},
        },
        "StackInstancesGroup": [
            {
                "DeploymentTargets": {"OrganizationalUnitIds": {"Ref": "OrganizationalUnits"}},
                "Regions": {"Ref": "Regions"},
            }
        ],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Rectify in the accounts of an organization.",
        "Parameters": own,
        "Conditions": {"Automatic": {"Fn::Equals": [{"Ref": "AutoDeployment"}, "true"]}},
        "Resources": {"Controls": {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}},
        "Outputs": {"StackSet": {"Description": "The stack set.", "Value": {"Ref": "Controls"}}},
    }
