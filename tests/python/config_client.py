"""Drives the local Config engine with boto3, a client that is not part of this project.

usage: config_client.py ENDPOINT INVOCATIONS

ENDPOINT is the engine's URL. INVOCATIONS is a file to which the holder of the engine's output appends the event of each
invocation as a line of JSON. What must be recorded and which faults must be injected beforehand is said in `FIXTURE`.

Prints one line of JSON and exits 0, or names the first wrong answer and exits 1.
"""

import json
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

FIXTURE = {
    "account": "111122223333",
    "buckets": [f"page-{number:02}" for number in range(12)],
    # Captured at these times, the last one a deletion; one second apart.
    "history": ("history", datetime(2026, 3, 4, 5, 6, 7, 512000, tzinfo=timezone.utc), 4),
    # The first call of this operation is throttled, the first PutEvaluations fails for this resource.
    "throttled": "list_discovered_resources",
    "failing": "page-01",
}
BUCKET = "AWS::S3::Bucket"
CHANGE = "ConfigurationItemChangeNotification"
SCHEDULED = "ScheduledNotification"


class Wrong(Exception):
    """An answer that is not what AWS Config would give."""


def equal(what, actual, expected):
    if actual != expected:
        raise Wrong(f"{what}: expected {expected!r}, got {actual!r}")


class Client:
    """boto3 with its own checks off, so that the server's are seen, and without retries."""

    def __init__(self, endpoint):
        self.calls = 0
        self.operations = set()
        self.refusals = set()
        self.boto = boto3.client(
            "config",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=20),
        )

    def call(self, operation, **request):
        self.calls += 1
        self.operations.add(operation)
        answer = getattr(self.boto, operation)(**request)
        equal(f"{operation}: status", answer.pop("ResponseMetadata")["HTTPStatusCode"], 200)
        return answer

    def refused(self, code, operation, says="", status=400, **request):
        try:
            answer = self.call(operation, **request)
        except ClientError as error:
            equal(f"{operation}: refusal", error.response["Error"]["Code"], code)
            equal(f"{operation}: status of {code}", error.response["ResponseMetadata"]["HTTPStatusCode"], status)
            message = error.response["Error"]["Message"]
            if says not in message:
                raise Wrong(f"{operation}: {code} should say {says!r}, says {message!r}") from error
            self.refusals.add(code)
            return
        raise Wrong(f"{operation}: expected {code}, got {answer!r}")

    def pages(self, operation, member, token, **request):
        """All members of all pages, and the size of each page."""
        found, sizes = [], []
        while True:
            answer = self.call(operation, **request)
            found += answer[member]
            sizes.append(len(answer[member]))
            if not answer.get(token):
                return found, sizes
            request[token] = answer[token]


class Invocations:
    """The invocations, read line by line as they are written."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8")
        self.count = 0

    def next(self):
        deadline = time.monotonic() + 10
        line = ""
        while not line.endswith("\n"):
            line += self.file.readline()
            if time.monotonic() > deadline:
                raise Wrong(f"no invocation within 10 s after {self.count} others")
            time.sleep(0.005)
        self.count += 1
        event = json.loads(line)
        return event, json.loads(event["invokingEvent"])

    def take(self, number):
        return [self.next() for _ in range(number)]


def rule(name, messages, **more):
    return {
        "ConfigRuleName": name,
        "Source": {
            "Owner": "CUSTOM_LAMBDA",
            "SourceIdentifier": f"arn:aws:lambda:us-east-1:{FIXTURE['account']}:function:{name}",
            "SourceDetails": [{"EventSource": "aws.config", "MessageType": message} for message in messages],
        },
        **more,
    }


def evaluation(resource, compliance, at, **more):
    return {
        "ComplianceResourceType": BUCKET,
        "ComplianceResourceId": resource,
        "ComplianceType": compliance,
        "OrderingTimestamp": at,
        **more,
    }


def protocol(client):
    client.refused("UnknownOperationException", "describe_remediation_exceptions", ConfigRuleName="x",
                   says="DescribeRemediationExceptions is not implemented")
    client.refused("SerializationException", "describe_config_rules", ConfigRuleNames=[90])
    throttled = FIXTURE["throttled"]
    client.refused("ThrottlingException", throttled, says="Rate exceeded", resourceType=BUCKET)
    client.call(throttled, resourceType=BUCKET)


def rules(client, invocations):
    equal("no rules at first", client.call("describe_config_rules"), {"ConfigRules": []})
    client.call("put_config_rule", ConfigRule=rule(
        "buckets", [CHANGE, SCHEDULED], InputParameters='{"days":"90"}', Description="all buckets",
        Scope={"ComplianceResourceTypes": [BUCKET]}))
    [described] = client.call("describe_config_rules", ConfigRuleNames=["buckets"])["ConfigRules"]
    identity = described["ConfigRuleId"]
    equal("id", (identity[:12], len(identity)), ("config-rule-", 18))
    equal("rule", described, {
        **rule("buckets", [CHANGE, SCHEDULED]), "InputParameters": '{"days":"90"}', "Description": "all buckets",
        "Scope": {"ComplianceResourceTypes": [BUCKET]}, "ConfigRuleId": identity, "ConfigRuleState": "ACTIVE",
        "ConfigRuleArn": f"arn:aws:config:us-east-1:{FIXTURE['account']}:config-rule/{identity}",
        "EvaluationModes": [{"Mode": "DETECTIVE"}]})
    first = invocations.take(1 + len(FIXTURE["buckets"]))

    by_arn = rule("buckets", [SCHEDULED], ConfigRuleArn=described["ConfigRuleArn"])
    del by_arn["ConfigRuleName"]
    client.call("put_config_rule", ConfigRule=by_arn)
    [updated] = client.call("describe_config_rules", ConfigRuleNames=["buckets"])["ConfigRules"]
    equal("an update keeps the id", updated["ConfigRuleId"], identity)
    equal("an update replaces", updated.get("InputParameters"), None)
    invocations.take(1)

    for number in range(30):
        client.call("put_config_rule", ConfigRule=rule(f"many-{number:02}", [SCHEDULED]))
    invocations.take(30)
    found, sizes = client.pages("describe_config_rules", "ConfigRules", "NextToken")
    equal("pages of rules", sizes, [25, 6])
    equal("rules", [found[0]["ConfigRuleName"], len({one["ConfigRuleId"] for one in found})], ["buckets", 31])

    refusals = [
        ("ValidationException", "sourceDetails.1.member.messageType", rule("bad", ["Telegram"])),
        ("ValidationException", "configRule.configRuleName", rule("x" * 129, [CHANGE])),
        ("InvalidParameterValueException", "JSON object", rule("bad", [CHANGE], InputParameters="90")),
        ("InvalidParameterValueException", "sourceIdentifier", rule("bad", [CHANGE]) | {
            "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "a function"}}),
        ("InvalidParameterValueException", "CUSTOM_LAMBDA", {"ConfigRuleName": "bad", "Source": {
            "Owner": "AWS", "SourceIdentifier": "S3_BUCKET_PUBLIC_READ_PROHIBITED"}}),
        ("InvalidParameterValueException", "ConfigRuleArn or ConfigRuleId", rule("buckets", [CHANGE], ConfigRuleId="config-rule-000000")),
    ]
    for code, says, definition in refusals:
        client.refused(code, "put_config_rule", says=says, ConfigRule=definition)
    client.refused("ValidationException", "put_config_rule", says="Value null at 'configRule'")
    client.refused("NoSuchConfigRuleException", "describe_config_rules", says="'missing'", ConfigRuleNames=["missing"])
    client.refused("InvalidNextTokenException", "describe_config_rules", NextToken="made up")
    client.refused("ValidationException", "describe_config_rules", says="'configRuleNames'",
                   ConfigRuleNames=[f"many-{number:02}" for number in range(26)])
    return first


def events(first):
    (scheduled_event, scheduled), *changes = first
    equal("a periodic run", scheduled, {
        "awsAccountId": FIXTURE["account"], "notificationCreationTime": scheduled["notificationCreationTime"],
        "messageType": SCHEDULED, "recordVersion": "1.0"})
    equal("parameters", scheduled_event["ruleParameters"], '{"days":"90"}')
    equal("resources looked at", [invoking["configurationItem"]["resourceId"] for _, invoking in changes], FIXTURE["buckets"])
    equal("a look at an old item has no diff", [invoking["configurationItemDiff"] for _, invoking in changes], [None] * len(changes))
    equal("tokens", len({event["resultToken"] for event, _ in first}), len(first))
    return scheduled_event["resultToken"]


def evaluations(client, token):
    """Returns how many compliance changes its calls must have set off."""
    at = datetime(2026, 5, 1, 12, 0, 0, 250000, tzinfo=timezone.utc)
    put = {"ResultToken": token}
    failing = FIXTURE["failing"]
    two = [evaluation("page-00", "NON_COMPLIANT", at, Annotation="open"), evaluation(failing, "COMPLIANT", at)]
    [failed] = client.call("put_evaluations", Evaluations=two, **put)["FailedEvaluations"]
    equal("the failed evaluation", (failed["ComplianceResourceId"], failed["OrderingTimestamp"]), (failing, at))
    [stored] = client.call("get_compliance_details_by_config_rule", ConfigRuleName="buckets")["EvaluationResults"]
    for name in ("ResultRecordedTime", "ConfigRuleInvokedTime"):
        age = datetime.now(timezone.utc) - stored.pop(name)
        equal(f"{name} is of this run", timedelta(0) - timedelta(seconds=1) < age < timedelta(minutes=5), True)
    equal("result", stored, {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": "buckets", "ResourceType": BUCKET, "ResourceId": "page-00", "EvaluationMode": "DETECTIVE"},
            "OrderingTimestamp": at},
        "ComplianceType": "NON_COMPLIANT", "Annotation": "open"})

    def stored_as(resource="page-00"):
        answer = client.call("get_compliance_details_by_resource", ResourceType=BUCKET, ResourceId=resource)
        return [(result["ComplianceType"], result.get("Annotation")) for result in answer["EvaluationResults"]]

    def report(compliance, when, **more):
        answer = client.call("put_evaluations", Evaluations=[evaluation("page-00", compliance, when, **more)], **put)
        equal("nothing failed", answer, {"FailedEvaluations": []})
        return stored_as()

    second = timedelta(seconds=1)
    equal("an older result never replaces", report("COMPLIANT", at - second), [("NON_COMPLIANT", "open")])
    equal("the same time replaces", report("NON_COMPLIANT", at, Annotation="wide open"), [("NON_COMPLIANT", "wide open")])
    equal("a newer one wins", report("COMPLIANT", at + second), [("COMPLIANT", None)])
    equal("256 characters are enough", report("COMPLIANT", at + second, Annotation="é" * 256), [("COMPLIANT", "é" * 256)])
    equal("an acknowledgement", client.call("put_evaluations", Evaluations=[], **put), {"FailedEvaluations": []})
    test_mode = client.call("put_evaluations", ResultToken="TESTMODE", TestMode=True,
                            Evaluations=[evaluation("page-00", "NON_COMPLIANT", at + 9 * second)])
    equal("test mode answers", test_mode, {"FailedEvaluations": []})
    equal("test mode stores nothing", stored_as(), [("COMPLIANT", "é" * 256)])

    good = evaluation("page-00", "NON_COMPLIANT", at + 9 * second)
    many = [evaluation(f"many-{number}", "COMPLIANT", at) for number in range(101)]
    refusals = [
        ("InvalidResultTokenException", "", {"ResultToken": "TESTMODE", "Evaluations": [good]}),
        ("InvalidResultTokenException", "", {"ResultToken": token[:-1] + ("0" if token[-1] != "0" else "1"), "Evaluations": [good]}),
        ("ValidationException", "'resultToken'", {"Evaluations": [good]}),
        ("ValidationException", "'evaluations' failed to satisfy constraint: Member must have length less than or equal to 100",
         {"Evaluations": many, **put}),
        ("ValidationException", "evaluations.2.member.annotation", {"Evaluations": [good, good | {"Annotation": ""}], **put}),
        ("ValidationException", "less than or equal to 256", {"Evaluations": [good | {"Annotation": "x" * 257}], **put}),
        ("ValidationException", "enum value set", {"Evaluations": [good | {"ComplianceType": "FINE"}], **put}),
        ("ValidationException", "complianceResourceId", {"Evaluations": [good | {"ComplianceResourceId": ""}], **put}),
        ("ValidationException", "orderingTimestamp", {"Evaluations": [
            {name: value for name, value in good.items() if name != "OrderingTimestamp"}], **put}),
        ("InvalidParameterValueException", "INSUFFICIENT_DATA", {"Evaluations": [good | {"ComplianceType": "INSUFFICIENT_DATA"}], **put}),
        ("InvalidParameterValueException", "Bucket", {"Evaluations": [good | {"ComplianceResourceType": "Bucket"}], **put}),
        ("ValidationException", "enum value set", {"Evaluations": [good | {"ComplianceType": "FINE"}],
                                                   "ResultToken": "TESTMODE", "TestMode": True}),
    ]
    for code, says, request in refusals:
        client.refused(code, "put_evaluations", says=says, **request)
    equal("a refused call stores nothing", stored_as(), [("COMPLIANT", "é" * 256)])

    hundred = [evaluation(f"many-{number:03}", "NOT_APPLICABLE", at) for number in range(100)]
    hundred[:30] = [evaluation(f"many-{number:03}", "NON_COMPLIANT", at) for number in range(30)]
    client.call("put_evaluations", Evaluations=hundred, **put)
    # page-00 was judged first and changed once; the hundred were judged first.
    return 2 + 100


def compliance(client):
    by_rule = {"ConfigRuleName": "buckets"}
    details = "get_compliance_details_by_config_rule"
    found, sizes = client.pages(details, "EvaluationResults", "NextToken", **by_rule)
    equal("pages of ten", sizes, [10] * 10 + [1])
    ids = [one["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for one in found]
    equal("each once", (len(set(ids)), ids), (101, sorted(ids)))
    for types, sizes in [(["NON_COMPLIANT"], [25, 5]), (["COMPLIANT"], [1]), (["NOT_APPLICABLE"], [25, 25, 20]),
                         (["COMPLIANT", "NON_COMPLIANT"], [25, 6])]:
        _, actual = client.pages(details, "EvaluationResults", "NextToken", ComplianceTypes=types, Limit=25, **by_rule)
        equal(f"pages of {types}", actual, sizes)
    equal("limit 0 is the default", len(client.call(details, Limit=0, **by_rule)["EvaluationResults"]), 10)
    token = client.call(details, Limit=5, **by_rule)["NextToken"]
    client.refused("InvalidNextTokenException", details, NextToken=token, ComplianceTypes=["COMPLIANT"], **by_rule)
    client.refused("ValidationException", details, says="'limit'", Limit=101, **by_rule)
    client.refused("ValidationException", details, says="'complianceTypes.1.member'", ComplianceTypes=["FINE"], **by_rule)
    client.refused("InvalidParameterValueException", details, ComplianceTypes=["INSUFFICIENT_DATA"], **by_rule)
    client.refused("NoSuchConfigRuleException", details, ConfigRuleName="missing")
    client.refused("ValidationException", details, says="'configRuleName'")

    unknown = client.call("get_compliance_details_by_resource", ResourceType=BUCKET, ResourceId="nowhere")
    equal("an unknown resource has no results", unknown, {"EvaluationResults": []})
    client.refused("InvalidParameterValueException", "get_compliance_details_by_resource", ResourceType=BUCKET)

    describe = "describe_compliance_by_config_rule"
    [summary] = client.call(describe, ConfigRuleNames=["buckets"])["ComplianceByConfigRules"]
    equal("thirty are capped at 25", summary, {"ConfigRuleName": "buckets", "Compliance": {
        "ComplianceType": "NON_COMPLIANT", "ComplianceContributorCount": {"CappedCount": 25, "CapExceeded": True}}})
    found, sizes = client.pages(describe, "ComplianceByConfigRules", "NextToken")
    equal("pages of rules", sizes, [25, 6])
    equal("a rule without results", found[1], {
        "ConfigRuleName": "many-00", "Compliance": {"ComplianceType": "INSUFFICIENT_DATA"}})
    only = client.call(describe, ComplianceTypes=["NON_COMPLIANT"])["ComplianceByConfigRules"]
    equal("filtered", [one["ConfigRuleName"] for one in only], ["buckets"])
    client.refused("NoSuchConfigRuleException", describe, ConfigRuleNames=["missing"])


def history(client):
    name, first, count = FIXTURE["history"]
    key = {"resourceType": BUCKET, "resourceId": name}
    operation = "get_resource_config_history"
    times = [first + timedelta(seconds=number) for number in range(count)]

    def captured(**more):
        found, sizes = client.pages(operation, "configurationItems", "nextToken", **key, **more)
        return [item["configurationItemCaptureTime"] for item in found], sizes

    equal("newest first", captured(), (times[::-1], [count]))
    equal("oldest first, in pages", captured(chronologicalOrder="Forward", limit=3), (times, [3, count - 3]))
    equal("newest first, in pages", captured(limit=1), (times[::-1], [1] * count))
    equal("the item of that very millisecond", captured(laterTime=times[1]), (times[1::-1], [2]))
    equal("not before", captured(earlierTime=times[2]), (times[:1:-1], [count - 2]))
    equal("between", captured(earlierTime=times[1], laterTime=times[1]), ([times[1]], [1]))
    [found] = client.call(operation, laterTime=times[1], limit=1, **key)["configurationItems"]
    equal("item", {name: value for name, value in found.items() if name not in ("configuration", "supplementaryConfiguration")}, {
        "version": "1.3", "accountId": FIXTURE["account"], "configurationItemCaptureTime": times[1],
        "configurationItemStatus": "OK", "configurationStateId": str(int(times[1].timestamp() * 1000)),
        "configurationItemMD5Hash": "", "arn": f"arn:aws:s3:::{name}", "resourceType": BUCKET, "resourceId": name,
        "resourceName": name, "awsRegion": "us-east-1", "availabilityZone": "Regional",
        "resourceCreationTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "tags": {"revision": "1"},
        "relatedEvents": [], "relationships": [], "recordingFrequency": "CONTINUOUS"})
    equal("configuration is a text", json.loads(found["configuration"])["name"], name)
    supplementary = found["supplementaryConfiguration"]
    equal("a list inside a text inside a text", json.loads(json.loads(supplementary["AccessControlList"]))["grantList"], [])
    equal("a boolean is a text", supplementary["IsRequesterPaysEnabled"], "false")
    [deleted] = client.call(operation, limit=1, **key)["configurationItems"]
    equal("the deletion", (deleted["configurationItemStatus"], deleted.get("configuration"), deleted["supplementaryConfiguration"]),
          ("ResourceDeleted", None, {}))

    client.refused("ResourceNotDiscoveredException", operation, resourceType=BUCKET, resourceId="nowhere")
    client.refused("InvalidTimeRangeException", operation, earlierTime=times[2], laterTime=times[1], **key)
    client.refused("InvalidLimitException", operation, limit=101, **key)
    client.refused("InvalidNextTokenException", operation, nextToken="00", **key)
    client.refused("ValidationException", operation, says="'chronologicalOrder'", chronologicalOrder="Sideways", **key)
    client.refused("ValidationException", operation, says="'resourceType'", resourceType="Bucket", resourceId=name)
    client.refused("ValidationException", operation, says="'resourceId'", resourceType=BUCKET)


def inventory(client):
    buckets, (gone, _, _) = FIXTURE["buckets"], FIXTURE["history"]
    operation = "list_discovered_resources"
    found, sizes = client.pages(operation, "resourceIdentifiers", "nextToken", resourceType=BUCKET, limit=5)
    equal("pages of resources", sizes, [5, 5, 2])
    equal("resources", found, [{"resourceType": BUCKET, "resourceId": one, "resourceName": one} for one in buckets])
    with_deleted = client.call(operation, resourceType=BUCKET, includeDeletedResources=True)["resourceIdentifiers"]
    [deleted] = [one for one in with_deleted if one["resourceId"] == gone]
    _, first, count = FIXTURE["history"]
    equal("deletion time", deleted["resourceDeletionTime"], first + timedelta(seconds=count - 1))
    for selection in ({"resourceIds": ["page-03", "nowhere"]}, {"resourceName": "page-03"}):
        [one] = client.call(operation, resourceType=BUCKET, **selection)["resourceIdentifiers"]
        equal(f"{selection}", one["resourceId"], "page-03")
    counted = client.call("get_discovered_resource_counts", resourceTypes=[BUCKET, "AWS::IAM::User"])
    equal("counts", counted["totalDiscoveredResources"], len(buckets))
    equal("counts by type", counted["resourceCounts"], [{"resourceType": BUCKET, "count": len(buckets)}])
    equal("nothing of a type", client.call(operation, resourceType="AWS::IAM::User"), {"resourceIdentifiers": []})
    client.refused("ValidationException", operation, says="not both", resourceType=BUCKET, resourceIds=["a"], resourceName="a")
    client.refused("ValidationException", operation, says="'resourceIds'", resourceType=BUCKET, resourceIds=["a"] * 21)
    client.refused("ValidationException", operation, says="'resourceType'", resourceType="AWS::::Account")
    client.refused("InvalidLimitException", operation, resourceType=BUCKET, limit=101)
    client.refused("InvalidNextTokenException", operation, resourceType=BUCKET, nextToken="zz")

    batch = "batch_get_resource_config"
    keys = [{"resourceType": BUCKET, "resourceId": one} for one in ("page-04", gone, "nowhere", "page-05")]
    answer = client.call(batch, resourceKeys=keys)
    equal("only what is there", [one["resourceId"] for one in answer["baseConfigurationItems"]], ["page-04", "page-05"])
    equal("nothing left over", answer["unprocessedResourceKeys"], [])
    for member in ("tags", "relationships", "configurationItemMD5Hash", "relatedEvents"):
        equal(f"a base item has no {member}", member in answer["baseConfigurationItems"][0], False)
    client.refused("ValidationException", batch, says="'resourceKeys'", resourceKeys=[])
    client.refused("ValidationException", batch, says="resourceKeys.2.member.resourceId", resourceKeys=[keys[0], {"resourceType": BUCKET}])


def evaluation_on_request(client, invocations):
    equal("no output", client.call("start_config_rules_evaluation", ConfigRuleNames=["many-00", "buckets"]), {})
    equal("in the order of the request", [event["configRuleName"] for event, _ in invocations.take(2)], ["many-00", "buckets"])
    client.call("put_config_rule", ConfigRule=rule("changes", [CHANGE], Scope={
        "ComplianceResourceTypes": [BUCKET], "ComplianceResourceId": "page-07"}))
    client.call("start_config_rules_evaluation", ConfigRuleNames=["changes"])
    looked_at = [invoking["configurationItem"]["resourceId"] for _, invoking in invocations.take(2)]
    equal("the one resource in scope, when put and on request", looked_at, ["page-07", "page-07"])
    client.refused("NoSuchConfigRuleException", "start_config_rules_evaluation", ConfigRuleNames=["many-00", "missing"])
    client.refused("ValidationException", "start_config_rules_evaluation", says="'configRuleNames'", ConfigRuleNames=[])
    client.refused("InvalidParameterValueException", "start_config_rules_evaluation")


def recorder(client):
    account = FIXTURE["account"]
    [described] = client.call("describe_configuration_recorders")["ConfigurationRecorders"]
    prefix = f"arn:aws:config:us-east-1:{account}:configuration-recorder/default/"
    equal("its ARN", described.pop("arn")[:len(prefix)], prefix)
    equal("everything is recorded", described, {
        "name": "default", "recordingScope": "PAID",
        "roleARN": f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        "recordingGroup": {
            "allSupported": True, "includeGlobalResourceTypes": True, "resourceTypes": [],
            "exclusionByResourceTypes": {"resourceTypes": []},
            "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}},
        "recordingMode": {"recordingFrequency": "CONTINUOUS"}})

    def status():
        [status] = client.call("describe_configuration_recorder_status",
                               ConfigurationRecorderNames=["default"])["ConfigurationRecordersStatus"]
        return status

    def stands():
        return [status()[name] for name in ("name", "recording", "lastStatus")]

    start, stop = "start_configuration_recorder", "stop_configuration_recorder"
    name = {"ConfigurationRecorderName": "default"}
    equal("it is on", stands(), ["default", True, "SUCCESS"])
    equal("it never was off", status().get("lastStopTime"), None)
    equal("no output", client.call(stop, **name), {})
    equal("it is off", stands(), ["default", False, "SUCCESS"])
    stopped = status()["lastStopTime"]
    equal("stopped just now", timedelta(0) - timedelta(seconds=1) < datetime.now(timezone.utc) - stopped < timedelta(minutes=1), True)
    client.call(stop, **name)
    equal("once is enough", status()["lastStopTime"], stopped)
    equal("no output", client.call(start, **name), {})
    equal("it has recorded nothing yet", stands(), ["default", True, "PENDING"])
    equal("started after it was stopped", status()["lastStartTime"] > stopped, True)
    for operation in (start, stop):
        client.refused("NoSuchConfigurationRecorderException", operation, says="'other'", ConfigurationRecorderName="other")
        client.refused("ValidationException", operation, says="'configurationRecorderName'")
    for operation in ("describe_configuration_recorders", "describe_configuration_recorder_status"):
        client.refused("NoSuchConfigurationRecorderException", operation, ConfigurationRecorderNames=["other"])
        client.refused("NoSuchConfigurationRecorderException", operation, ServicePrincipal="securityhub.amazonaws.com")
        client.refused("ValidationException", operation, ConfigurationRecorderNames=[""])

    put, role = "put_configuration_recorder", f"arn:aws:iam::{account}:role/config"
    some = {"resourceTypes": [BUCKET]}
    group = {"exclusionByResourceTypes": some, "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}
    mode = {"recordingFrequency": "DAILY", "recordingModeOverrides": [
        {"description": "keys", "resourceTypes": ["AWS::KMS::Key"], "recordingFrequency": "CONTINUOUS"}]}
    equal("no output", client.call(put, ConfigurationRecorder={
        "name": "default", "roleARN": role, "recordingGroup": group, "recordingMode": mode}), {})
    [changed] = client.call("describe_configuration_recorders")["ConfigurationRecorders"]
    equal("what was put", (changed["roleARN"], changed["recordingMode"], changed["recordingGroup"]), (role, mode, {
        "allSupported": False, "includeGlobalResourceTypes": False, "resourceTypes": [], **group}))
    client.call(put, ConfigurationRecorder={"roleARN": role})
    [changed] = client.call("describe_configuration_recorders")["ConfigurationRecorders"]
    equal("without a group all but the types of IAM", [changed["recordingGroup"][name] for name in (
        "allSupported", "includeGlobalResourceTypes")], [True, False])
    equal("it goes on", status()["recording"], True)
    refusals = [
        ("MaxNumberOfConfigurationRecordersExceededException", {"name": "second", "roleARN": role}),
        ("InvalidConfigurationRecorderNameException", {"name": "AWSConfigurationRecorderForMe", "roleARN": role}),
        ("InvalidRoleException", {"name": "default"}),
        ("InvalidRecordingGroupException", {"roleARN": role, "recordingGroup": {}}),
        ("InvalidRecordingGroupException", {"roleARN": role, "recordingGroup": {"allSupported": True, **some}}),
        ("ValidationException", {"roleARN": role, "recordingGroup": {"resourceTypes": ["Bucket"]}}),
        ("ValidationException", {"roleARN": role, "recordingGroup": {"recordingStrategy": {"useOnly": "SOME"}}}),
        ("ValidationException", {"roleARN": role, "recordingMode": {"recordingFrequency": "HOURLY"}}),
        ("ValidationException", {"name": "", "roleARN": role}),
    ]
    for code, definition in refusals:
        client.refused(code, put, ConfigurationRecorder=definition)
    client.refused("ValidationException", put, says="'configurationRecorder'")


def delivery(client):
    account = FIXTURE["account"]
    topic = f"arn:aws:sns:us-east-1:{account}:config"
    equal("a channel", client.call("describe_delivery_channels"), {"DeliveryChannels": [
        {"name": "default", "s3BucketName": f"config-{account}-us-east-1", "snsTopicARN": topic}]})

    def status():
        [status] = client.call("describe_delivery_channel_status", DeliveryChannelNames=["default"])["DeliveryChannelsStatus"]
        equal("its name", status["name"], "default")
        return status["configHistoryDeliveryInfo"], status["configStreamDeliveryInfo"]["lastStatus"]

    history, stream = status()
    equal("both are delivered", (history["lastStatus"], stream), ("SUCCESS", "SUCCESS"))
    equal("lately", datetime.now(timezone.utc) - history["lastSuccessfulTime"] < timedelta(hours=6), True)
    put = "put_delivery_channel"
    channel = {"name": "default", "s3BucketName": "elsewhere", "s3KeyPrefix": "config"}
    equal("no output", client.call(put, DeliveryChannel=channel), {})
    equal("what was put", client.call("describe_delivery_channels", DeliveryChannelNames=["default"]),
          {"DeliveryChannels": [channel]})
    equal("no topic, no stream", status()[1], "NOT_APPLICABLE")
    refusals = [
        ("MaxNumberOfDeliveryChannelsExceededException", {"name": "second", "s3BucketName": "elsewhere"}),
        ("NoSuchBucketException", {"name": "default"}),
        ("InvalidSNSTopicARNException", {"s3BucketName": "elsewhere", "snsTopicARN": "config"}),
        ("ValidationException", {"name": "x" * 257, "s3BucketName": "elsewhere"}),
    ]
    for code, definition in refusals:
        client.refused(code, put, DeliveryChannel=definition)
    client.refused("ValidationException", put, says="'deliveryChannel'")
    for operation in ("describe_delivery_channels", "describe_delivery_channel_status"):
        client.refused("NoSuchDeliveryChannelException", operation, says="'other'", DeliveryChannelNames=["other"])


def deletion(client, token):
    equal("no output", client.call("delete_config_rule", ConfigRuleName="buckets"), {})
    at = datetime(2026, 6, 1, tzinfo=timezone.utc)
    client.refused("NoSuchConfigRuleException", "put_evaluations", ResultToken=token,
                   Evaluations=[evaluation("page-00", "COMPLIANT", at)])
    client.refused("NoSuchConfigRuleException", "get_compliance_details_by_config_rule", ConfigRuleName="buckets")
    client.refused("NoSuchConfigRuleException", "delete_config_rule", ConfigRuleName="buckets")
    client.refused("ValidationException", "delete_config_rule", says="'configRuleName'")
    forgotten = client.call("get_compliance_details_by_resource", ResourceType=BUCKET, ResourceId="page-00")
    equal("its results are gone", forgotten, {"EvaluationResults": []})


def main():
    endpoint, path = sys.argv[1:]
    client, invocations = Client(endpoint), Invocations(path)
    protocol(client)
    token = events(rules(client, invocations))
    changes = evaluations(client, token)
    compliance(client)
    history(client)
    inventory(client)
    evaluation_on_request(client, invocations)
    recorder(client)
    delivery(client)
    deletion(client, token)
    print(json.dumps({"calls": client.calls, "operations": len(client.operations), "refusals": sorted(client.refusals),
                      "invocations": invocations.count, "changes": changes}))


if __name__ == "__main__":
    try:
        main()
    except (Wrong, ClientError) as wrong:
        sys.exit(f"config_client: {wrong}")
