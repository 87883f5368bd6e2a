#!/usr/bin/env python3
"""The cost of a periodic round: invocations, wall time and peak memory of a rule's function in a synthetic account.

    tools/measure/round.py --resources 100000 --call-ms 20 restricted-ssh=target/debug/restricted-ssh

Emulates the Lambda Runtime API, AWS Config, Lambda and the control's service (EC2 or KMS) on one port. Every AWS call is
answered after --call-ms. AWS Config has an earlier result of each resource, and of one that is deleted. A function that
invokes itself gets the payload as its next event.
"""

import argparse
import asyncio
import json
import os
import re
import time
import urllib.parse

ACCOUNT = "111122223333"
REGION = "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rectify-measured"
EVENT = {
    "version": "1.0",
    "invokingEvent": json.dumps({
        "awsAccountId": ACCOUNT, "messageType": "ScheduledNotification", "recordVersion": "1.0",
        "notificationCreationTime": "2026-03-04T06:00:00.250Z",
    }),
    "resultToken": "measured", "configRuleName": "rectify-measured", "accountId": ACCOUNT,
}
GROUP = (
    "<item><ownerId>{account}</ownerId><groupId>{id}</groupId><groupName>g</groupName><vpcId>vpc-1</vpcId>"
    "<ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>22</toPort><groups/><ipRanges>"
    "<item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges></item></ipPermissions><ipPermissionsEgress/></item>"
)


class Account:
    def __init__(self, resources, call_ms):
        self.resources, self.pause = resources, call_ms / 1000
        self.calls, self.evaluated, self.retired = 0, 0, 0
        self.kind, self.events, self.answers, self.wake = None, [], [], asyncio.Event()

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
        self.kind = "AWS::EC2::SecurityGroup"
        groups, token = self.page(query.get("NextToken"), int(query["MaxResults"]))
        items = "".join(GROUP.format(account=ACCOUNT, id=f"sg-{number:017x}") for number in groups)
        token = f"<nextToken>{token}</nextToken>" if token else ""
        return (
            "<DescribeSecurityGroupsResponse><requestId>r</requestId><securityGroupInfo>"
            f"{items}</securityGroupInfo>{token}</DescribeSecurityGroupsResponse>"
        )

    def ListKeys(self, query):
        self.kind = "AWS::KMS::Key"
        keys, token = self.page(query.get("Marker"), query["Limit"])
        answer = {"Keys": [{"KeyId": f"{number:08x}-0000"} for number in keys], "Truncated": token is not None}
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
        gone = [it for it in query["Evaluations"] if it["ComplianceType"] == "NOT_APPLICABLE"]
        self.retired += len(gone)
        self.evaluated += len(query["Evaluations"]) - len(gone)
        return {"FailedEvaluations": []}

    def GetComplianceDetailsByConfigRule(self, query):
        numbers, token = self.page(query.get("NextToken"), 100)
        name = "sg-{:017x}" if self.kind == "AWS::EC2::SecurityGroup" else "{:08x}-0000"
        ids = [name.format(number) for number in numbers] + ([] if token else ["gone"])
        results = [
            {"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
                "ConfigRuleName": "rectify-measured", "ResourceType": self.kind, "ResourceId": id}},
             "ComplianceType": "COMPLIANT"}
            for id in ids
        ]
        return {"EvaluationResults": results} | ({"NextToken": token} if token else {})


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
    account = Account(options.resources, options.call_ms)
    server = await asyncio.start_server(lambda r, w: serve(account, options.timeout, r, w), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account.events.append(EVENT)
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "rectify-measured", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    }
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        binary, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    while True:
        await account.wake.wait()
        account.wake.clear()
        if not account.events:
            break
    wall = time.monotonic() - begun
    with open(f"/proc/{process.pid}/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    with open(f"/proc/{process.pid}/stat") as stat:
        cpu = sum(int(it) for it in stat.read().split()[13:15]) / os.sysconf("SC_CLK_TCK")
    process.kill()
    server.close()
    kinds = {kind for kind, _, _ in account.answers}
    longest = max(seconds for _, _, seconds in account.answers)
    print(f"| {name} | {options.resources} | {account.calls} | {len(account.answers)} | {wall:.0f} | {longest:.0f} "
          f"| {cpu:.0f} | {peak:.1f} |", flush=True)
    assert kinds == {"response"}, account.answers[-1]
    assert (account.evaluated, account.retired) == (options.resources, 1), (account.evaluated, account.retired)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--call-ms", type=float, default=20)
    parser.add_argument("--timeout", type=float, default=900, help="timeout of an invocation in seconds")
    parser.add_argument("functions", nargs="+", metavar="NAME=BINARY")
    options = parser.parse_args()
    print("| function | resources | calls | invocations | wall s | longest s | CPU s | peak MiB |\n|---|---|---|---|---|---|---|---|")
    for function in options.functions:
        name, binary = function.split("=", 1)
        asyncio.run(measure(name, binary, options))


if __name__ == "__main__":
    main()
