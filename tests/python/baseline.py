"""Creates the resources of deploy/baseline.yaml at an endpoint with the calls of their services.

usage: baseline.py TEMPLATE ENDPOINT REGION [PARAMETER=VALUE …]

CloudFormation does the same in AWS; moto's CloudFormation lacks half of these types. Every property of the template must
be part of a call: a property that no call takes is an error. Prints the physical id of each resource as JSON.
"""

import json
import sys

import boto3
import yaml

ACCOUNT = "111122223333"


def load(path):
    """The template, with short forms of functions as in JSON."""

    class Loader(yaml.SafeLoader):
        pass

    def tagged(loader, suffix, node):
        kind = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: loader.construct_sequence}
        value = kind[type(node)](node, *([True] if isinstance(node, yaml.SequenceNode) else []))
        if suffix == "GetAtt":
            value = value.split(".", 1)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", tagged)
    with open(path) as file:
        return yaml.load(file, Loader)


class Gone:
    """AWS::NoValue."""


class Stack:
    """The resolved template: `create` creates a resource and those it refers to."""

    def __init__(self, template, endpoint, region, given):
        self.template, self.region = template, region
        declared = template["Parameters"]
        unknown = set(given) - set(declared)
        assert not unknown, f"no such parameters: {unknown}"
        self.parameters = {name: given.get(name, it["Default"]) for name, it in declared.items()}
        self.created, self.endpoint = {}, endpoint
        for rule in template["Rules"].values():
            if self.test(rule.get("RuleCondition", {"Fn::Equals": ["", ""]})):
                for it in rule["Assertions"]:
                    assert self.test(it["Assert"]), it["AssertDescription"]

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=self.region, aws_access_key_id="LKIAOPERATOR",
            aws_secret_access_key="local",
        )

    def test(self, expression):
        [(name, arguments)] = expression.items()
        match name:
            case "Fn::Equals":
                left, right = map(self.value, arguments)
                return str(left) == str(right)
            case "Fn::Not":
                return not self.test(arguments[0])
            case "Fn::And":
                return all(map(self.test, arguments))
            case "Fn::Or":
                return any(map(self.test, arguments))
            case "Condition":
                return self.test(self.template["Conditions"][arguments])
        raise ValueError(f"{name} is not supported")

    def reference(self, name):
        pseudo = {
            "AWS::NoValue": Gone, "AWS::AccountId": ACCOUNT, "AWS::Region": self.region, "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            value = self.parameters[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return str(value).split(",") if is_list else value
        return self.create(name)["Ref"]

    def value(self, it):
        if isinstance(it, list):
            return [value for value in map(self.value, it) if value is not Gone]
        if not isinstance(it, dict):
            return it
        first, arguments = next(iter(it.items()), ("", None))
        match first:
            case "Ref":
                return self.reference(arguments)
            case "Fn::GetAtt":
                return self.create(arguments[0])[arguments[1]]
            case "Fn::If":
                return self.value(arguments[1 if self.test({"Condition": arguments[0]}) else 2])
            case "Fn::Join":
                return arguments[0].join(self.value(arguments[1]))
            case "Fn::Sub":
                text, names = arguments if isinstance(arguments, list) else (arguments, {})
                while "${" in text:
                    before, rest = text.split("${", 1)
                    name, after = rest.split("}", 1)
                    owner, _, attribute = name.partition(".")
                    if name in names:
                        value = self.value(names[name])
                    else:
                        value = self.create(owner)[attribute] if attribute else self.reference(name)
                    text = f"{before}{value}{after}"
                return text
        assert not first.startswith("Fn::"), f"{first} is not supported"
        return {key: value for key, value in ((key, self.value(value)) for key, value in it.items()) if value is not Gone}

    def exists(self, resource):
        return "Condition" not in resource or self.test({"Condition": resource["Condition"]})

    def create(self, name):
        """The references to a resource, which is created when it is first needed."""
        if name not in self.created:
            resource = self.template["Resources"][name]
            assert self.exists(resource), f"{name} is used where it does not exist"
            for other in [resource["DependsOn"]] if "DependsOn" in resource else []:
                self.create(other)
            self.value(resource.get("Metadata", {}))
            properties = self.value(resource.get("Properties", {}))
            self.created[name] = CREATE[resource["Type"]](self, name, properties)
            assert not properties, f"{name}: no call takes {properties}"
        return self.created[name]


def text(document):
    return json.dumps(document.pop("PolicyDocument"))


def lower(value):
    """Members as the JSON services spell them: CloudFormation capitalizes their first letter."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: lower(inner) for key, inner in value.items()}
    return [lower(inner) for inner in value] if isinstance(value, list) else value


def take(properties):
    taken = dict(properties)
    properties.clear()
    return taken


def key(stack, name, it):
    kms = stack.client("kms")
    made = kms.create_key(Policy=json.dumps(it.pop("KeyPolicy")), Description=it.pop("Description"))["KeyMetadata"]
    if it.pop("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=made["KeyId"])
    return {"Ref": made["KeyId"], "Arn": made["Arn"]}


def lifecycle(rule):
    made = {"ID": rule.pop("Id"), "Status": rule.pop("Status"), "Filter": {"Prefix": ""}}
    for name, theirs in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        for it in rule.pop(name, []):
            made.setdefault(name, []).append({"StorageClass": it["StorageClass"], theirs: int(it["TransitionInDays"])})
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule.pop("ExpirationInDays"))}
    if "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": rule.pop("ExpiredObjectDeleteMarker")}
    for same in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if same in rule:
            made[same] = rule.pop(same)
    assert not rule, f"lifecycle: {rule}"
    return made


def bucket(stack, name, it):
    s3, bucket = stack.client("s3"), f"baseline-{name.lower()}"
    locked = it.pop("ObjectLockEnabled", False)
    place = {} if stack.region == "us-east-1" else {"LocationConstraint": stack.region}
    s3.create_bucket(
        Bucket=bucket, ObjectLockEnabledForBucket=locked,
        ObjectOwnership=it.pop("OwnershipControls")["Rules"][0]["ObjectOwnership"],
        **({"CreateBucketConfiguration": place} if place else {}),
    )
    rules = [
        {("ApplyServerSideEncryptionByDefault" if key.startswith("Server") else key): value for key, value in rule.items()}
        for rule in it.pop("BucketEncryption")["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=it.pop("VersioningConfiguration"))
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=it.pop("PublicAccessBlockConfiguration")
    )
    rules = [lifecycle(rule) for rule in it.pop("LifecycleConfiguration")["Rules"]]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    if "LoggingConfiguration" in it:
        logging = it.pop("LoggingConfiguration")
        target = {"TargetBucket": logging.pop("DestinationBucketName"), "TargetPrefix": logging.pop("LogFilePrefix")}
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": target})
    if "ObjectLockConfiguration" in it:
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=it.pop("ObjectLockConfiguration"))
    return {"Ref": bucket, "Arn": f"arn:aws:s3:::{bucket}"}


def bucket_policy(stack, name, it):
    bucket = it.pop("Bucket")
    stack.client("s3").put_bucket_policy(Bucket=bucket, Policy=text(it))
    return {"Ref": bucket}


def topic(stack, name, it):
    sns = stack.client("sns")
    attributes = {"KmsMasterKeyId": it.pop("KmsMasterKeyId")}
    arn = sns.create_topic(Name=f"baseline-{name}", Attributes=attributes)["TopicArn"]
    for subscription in it.pop("Subscription", []):
        sns.subscribe(TopicArn=arn, **subscription)
        # The operator confirms. moto reads the number from an attribute that it misspells (moto 5.2.5, `sns/models`).
        sns.set_topic_attributes(TopicArn=arn, AttributeName="SubscriptionsConfimed", AttributeValue="1")
    return {"Ref": arn}


def topic_policy(stack, name, it):
    [arn] = it.pop("Topics")
    stack.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text(it))
    return {"Ref": arn}


def linked_role(stack, name, it):
    made = stack.client("iam").create_service_linked_role(AWSServiceName=it.pop("AWSServiceName"))
    return {"Ref": made["Role"]["RoleName"]}


def role(stack, name, it):
    iam, name = stack.client("iam"), f"baseline-{name}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(it.pop("AssumeRolePolicyDocument")))
    for policy in it.pop("Policies"):
        iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=text(policy))
    return {"Ref": name, "Arn": made["Role"]["Arn"]}


def recorder(stack, name, it):
    recorder = {"name": "default", "roleARN": it.pop("RoleARN"), "recordingGroup": lower(it.pop("RecordingGroup"))}
    stack.client("config").put_configuration_recorder(ConfigurationRecorder=recorder)
    return {"Ref": "default"}


def channel(stack, name, it):
    channel = {
        "name": "default", "s3BucketName": it.pop("S3BucketName"), "s3KmsKeyArn": it.pop("S3KmsKeyArn"),
        "snsTopicARN": it.pop("SnsTopicARN"),
        "configSnapshotDeliveryProperties": lower(it.pop("ConfigSnapshotDeliveryProperties")),
    }
    stack.client("config").put_delivery_channel(DeliveryChannel=channel)
    stack.client("config").start_configuration_recorder(ConfigurationRecorderName="default")
    return {"Ref": "default"}


def log_group(stack, name, it):
    logs, group = stack.client("logs"), it.pop("LogGroupName")
    logs.create_log_group(logGroupName=group, kmsKeyId=it.pop("KmsKeyId"))
    logs.put_retention_policy(logGroupName=group, retentionInDays=int(it.pop("RetentionInDays")))
    return {"Ref": group, "Arn": f"arn:aws:logs:{stack.region}:{ACCOUNT}:log-group:{group}:*"}


def metric_filter(stack, name, it):
    stack.client("logs").put_metric_filter(filterName=name, **lower(take(it)))
    return {"Ref": name}


def alarm(stack, name, it):
    made = take(it)
    stack.client("cloudwatch").put_metric_alarm(**made)
    return {"Ref": made["AlarmName"]}


def trail(stack, name, it):
    cloudtrail, name = stack.client("cloudtrail"), it.pop("TrailName")
    selectors, on = it.pop("EventSelectors"), it.pop("IsLogging")
    made = take(it)
    made["KmsKeyId"] = made.pop("KMSKeyId")
    arn = cloudtrail.create_trail(Name=name, **made)["TrailARN"]
    cloudtrail.put_event_selectors(TrailName=name, EventSelectors=selectors)
    if on:
        cloudtrail.start_logging(Name=name)
    return {"Ref": name, "Arn": arn}


CREATE = {
    "AWS::CloudTrail::Trail": trail, "AWS::CloudWatch::Alarm": alarm, "AWS::Config::ConfigurationRecorder": recorder,
    "AWS::Config::DeliveryChannel": channel, "AWS::IAM::Role": role, "AWS::IAM::ServiceLinkedRole": linked_role,
    "AWS::KMS::Key": key, "AWS::Logs::LogGroup": log_group, "AWS::Logs::MetricFilter": metric_filter,
    "AWS::S3::Bucket": bucket, "AWS::S3::BucketPolicy": bucket_policy, "AWS::SNS::Topic": topic,
    "AWS::SNS::TopicPolicy": topic_policy,
}


def main(path, endpoint, region, *parameters):
    stack = Stack(load(path), endpoint, region, dict(it.split("=", 1) for it in parameters))
    for name, resource in stack.template["Resources"].items():
        if stack.exists(resource):
            stack.create(name)
    outputs = {
        name: stack.value(it["Value"]) for name, it in stack.template["Outputs"].items() if stack.exists(it)
    }
    print(json.dumps({"resources": {name: it["Ref"] for name, it in stack.created.items()}, "outputs": outputs}))


if __name__ == "__main__":
    main(*sys.argv[1:])
