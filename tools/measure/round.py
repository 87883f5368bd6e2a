#!/usr/bin/env python3
"""The cost of a periodic round: invocations, wall time and peak memory of a rule's function in a synthetic account.

    tools/measure/round.py --resources 100000 --call-ms 20 restricted-ssh=target/debug/restricted-ssh
    tools/measure/round.py --resources 1000 --call-ms 0 --days 30 --changes 10 restricted-ssh=target/debug/restricted-ssh

Emulates the Lambda Runtime API, AWS Config, Lambda and the control's service (EC2 or KMS) on one port. Every AWS call is
answered after --call-ms. AWS Config has an earlier result of each resource, of unknown age, and of one that is deleted. A
function that invokes itself gets the payload as its next event.

With --days, a round runs each day, AWS Config keeps what it is sent, and --changes groups are opened or closed before each
round; the evaluations that AWS Config charges are counted.
"""

import argparse
import asyncio
import datetime
import json
import os
import re
import time
import urllib.parse

ACCOUNT = "111122223333"
REGION = "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rectify-measured"
START = datetime.datetime(2026, 3, 4, 6, 0, 0, 250_000, datetime.timezone.utc)


def event(at):
    """The event of a scheduled run."""
    invoking = {
        "awsAccountId": ACCOUNT, "messageType": "ScheduledNotification", "recordVersion": "1.0",
        "notificationCreationTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return {
        "version": "1.0", "invokingEvent": json.dumps(invoking), "resultToken": "measured",
        "configRuleName": "rectify-measured", "accountId": ACCOUNT,
    }


GROUP = (
    "<item><ownerId>{account}</ownerId><groupId>{id}</groupId><groupName>g</groupName><vpcId>vpc-1</vpcId>"
    "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/><ipRanges>"
    "<item><cidrIp>{cidr}</cidrIp></item></ipRanges></item></ipPermissions><ipPermissionsEgress/></item>"
)


class Account:
    def __init__(self, name, resources, call_ms):
        self.resources, self.pause = resources, call_ms / 1000
        self.calls, self.evaluated, self.retired, self.open, self.now = 0, 0, 0, set(), START
        self.kind, self.id = ("AWS::KMS::Key", "{:08x}-0000") if "cmk" in name else ("AWS::EC2::SecurityGroup", "sg-{:017x}")
        self.results = {self.id.format(number): {"ComplianceType": "COMPLIANT"} for number in range(resources)}
        self.results["gone"] = {"ComplianceType": "COMPLIANT"}
        self.events, self.answers, self.wake = [], [], asyncio.Event()

    def page(self, start, size):
        start = int(start or 0)
        end = min(self.resources, start + size)
        return range(start, end), (str(end) if end < self.resources else None)

    async def aws(self, path, headers, body):
        self.calls += 1
        await asyncio.sleep(self.pause)
        if "/functions/" in path:
            self.events.append(json.loads(body))
            return 202, ""
        target = headers.get("x-amz-target")
        if target is None:
            return 200, self.ec2({key: value[0] for key, value in urllib.parse.parse_qs(body.decode()).items()})
        operation = target.rsplit(".", 1)[1]
        return 200, json.dumps(getattr(self, operation)(json.loads(body or b"{}")))

    def ec2(self, query):
        assert query["Action"] == "DescribeSecurityGroups", query
        groups, token = self.page(query.get("NextToken"), int(query["MaxResults"]))
        items = "".join(
            GROUP.format(
                account=ACCOUNT, id=self.id.format(number), cidr="0.0.0.0/0" if number in self.open else "10.0.0.0/8"
            )
            for number in groups
        )
        token = f"<nextToken>{token}</nextToken>" if token else ""
        return (
            "<DescribeSecurityGroupsResponse><requestId>r</requestId><securityGroupInfo>"
            f"{items}</securityGroupInfo>{token}</DescribeSecurityGroupsResponse>"
        )

    def ListKeys(self, query):
        keys, token = self.page(query.get("Marker"), query["Limit"])
        answer = {"Keys": [{"KeyId": self.id.format(number)} for number in keys], "Truncated": token is not None}
        return answer | ({"NextMarker": token} if token else {})

    def DescribeKey(self, query):
        key = query["KeyId"]
        return {"KeyMetadata": {
            "KeyId": key, "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}", "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyState": "Enabled", "MultiRegion": False,
        }}

    def GetKeyRotationStatus(self, query):
        return {"KeyRotationEnabled": True, "RotationPeriodInDays": 365}

    def PutEvaluations(self, query):
        for it in query["Evaluations"]:
            gone = it["ComplianceType"] == "NOT_APPLICABLE"
            self.retired += gone
            self.evaluated += not gone
            self.results[it["ComplianceResourceId"]] = {
                "ComplianceType": it["ComplianceType"], "ResultRecordedTime": self.now.timestamp() + 30,
                **({"Annotation": it["Annotation"]} if "Annotation" in it else {}),
            }
        return {"FailedEvaluations": []}

    def GetComplianceDetailsByConfigRule(self, query):
        held = [it for it in self.results.items() if it[1]["ComplianceType"] in query["ComplianceTypes"]]
        start = int(query.get("NextToken") or 0)
        results = [
            {"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
                "ConfigRuleName": "rectify-measured", "ResourceType": self.kind, "ResourceId": id}}, **result}
            for id, result in held[start:start + 100]
        ]
        return {"EvaluationResults": results} | ({"NextToken": str(start + 100)} if len(held) > start + 100 else {})


async def read(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = head.split("\r\n")
    method, path, _ = start.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return method, path, headers, body
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def serve(account, timeout, reader, writer):
    try:
        while True:
            method, path, headers, body = await read(reader)
            extra, status = "", 200
            if path.endswith("/invocation/next"):
                while not account.events:
                    await asyncio.sleep(0.01)
                account.begun = time.monotonic()
                answer = json.dumps(account.events.pop(0))
                deadline = int((time.time() + timeout) * 1000)
                extra = (
                    f"lambda-runtime-aws-request-id: r-{len(account.answers)}\r\nlambda-runtime-deadline-ms: {deadline}\r\n"
                    f"lambda-runtime-invoked-function-arn: {ARN}\r\nlambda-runtime-trace-id: Root=1-0-0\r\n"
                )
            elif re.search(r"/invocation/[^/]+/(response|error)$", path):
                account.answers.append((path.rsplit("/", 1)[1], body.decode(), time.monotonic() - account.begun))
                answer, status = "{}", 202
                account.wake.set()
            else:
                status, answer = await account.aws(path, headers, body)
            writer.write(
                f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\n{extra}"
                f"content-length: {len(answer.encode())}\r\n\r\n{answer}".encode()
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionResetError):
        writer.close()


async def measure(name, binary, options):
    account = Account(name, options.resources, options.call_ms)
    server = await asyncio.start_server(lambda r, w: serve(account, options.timeout, r, w), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account.events.append(event(START))
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "rectify-measured", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "RECTIFY_FUNCTION": name,
    }
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        binary, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    await ended(account)
    assert (account.evaluated, account.retired) == (options.resources, 1), (account.evaluated, account.retired)
    for day in range(1, options.days):
        account.now = START + datetime.timedelta(days=day)
        for number in range(options.changes):
            account.open ^= {(day * options.changes + number) % options.resources}
        account.events.append(event(account.now))
        await ended(account)
    wall = time.monotonic() - begun
    with open(f"/proc/{process.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    with open(f"/proc/{process.pid}/stat") as stat:
        cpu = sum(int(it) for it in stat.read().split()[13:15]) / os.sysconf("SC_CLK_TCK")
    process.kill()
    await process.wait()
    server.close()
    await asyncio.sleep(0.1)  # its connections end
    kinds = {kind for kind, _, _ in account.answers}
    longest = max(seconds for _, _, seconds in account.answers)
    print(f"| {name} | {options.resources} | {account.calls} | {len(account.answers)} | {wall:.0f} | {longest:.0f} "
          f"| {cpu:.0f} | {peak:.1f} | {account.evaluated} of {options.resources * options.days} |", flush=True)
    assert kinds == {"response"}, account.answers[-1]


async def ended(account):
    """Waits until the last part of a round has answered."""
    while True:
        await account.wake.wait()
        account.wake.clear()
        if not account.events:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--call-ms", type=float, default=20)
    parser.add_argument("--days", type=int, default=1, help="rounds, a day apart")
    parser.add_argument("--changes", type=int, default=0, help="groups that are opened or closed before each round")
    parser.add_argument("--timeout", type=float, default=900, help="timeout of an invocation in seconds")
    parser.add_argument("functions", nargs="+", metavar="NAME=BINARY")
    options = parser.parse_args()
    print("| function | resources | calls | invocations | wall s | longest s | CPU s | peak MiB | evaluations |"
          "\n|---|---|---|---|---|---|---|---|---|")
    for function in options.functions:
        name, binary = function.split("=", 1)
        asyncio.run(measure(name, binary, options))


if __name__ == "__main__":
    main()
