#!/usr/bin/env python3
"""CPU time, memory and size of functions, side by side in one run.

Starts each function as Lambda does, against a Runtime API and AWS endpoints that this script emulates. The costs come
from the kernel: CPU time (user and system, all threads) from the process's CPU clock, peak memory from VmHWM. Each
round runs every function once, so that other load on the machine affects all of them alike: trust the ratios, not the
milliseconds.

  cold   from the start of the process until it requests its second event
  warm   the average of the events after that
  peak   peak memory after all events

The endpoints use TLS as AWS does (RSA 2048, with a certificate authority for this run in addition to the system's).
There is one for AWS Config and one for everything else, since AWS has two hosts as well. Names are not resolved: both
are at 127.0.0.1. Requires Linux, and `openssl` unless --plain is given.

Example, after `make build`:
  tools/measure/measure.py --event events/iam-root-access-key-check/compliant-no-root-access-key.json \\
      empty=target/measure/release/empty rule=target/lambda/iam-root-access-key-check/bootstrap
"""

import argparse
import contextlib
import dataclasses
import http.server
import json
import os
import pathlib
import queue
import shlex
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile

ACCOUNT = "111122223333"
REGION = "us-east-1"
SYSTEM_CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
TIMEOUT = 60  # seconds that a function may take to request its next event

ASSUMED_ROLE = (
    b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
    b"<AssumedRoleUser><AssumedRoleId>measured:measured</AssumedRoleId><Arn>measured</Arn></AssumedRoleUser>"
    b"<Credentials><AccessKeyId>measured</AccessKeyId><SecretAccessKey>measured</SecretAccessKey>"
    b"<SessionToken>measured</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
    b"</AssumeRoleResult></AssumeRoleResponse>"
)


class MeasurementFailed(Exception):
    """Why a function cannot be measured."""


@dataclasses.dataclass
class Subject:
    """A function under measurement and its results."""

    name: str
    command: list
    cold: list = dataclasses.field(default_factory=list)
    warm: list = dataclasses.field(default_factory=list)
    peak: list = dataclasses.field(default_factory=list)
    calls: list = dataclasses.field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; HTTP/1.1, so that clients keep it open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Logs nothing."""

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The Runtime API: serves events, and queues the function's requests for events and its answers."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), RuntimeApiHandler)
        self.events, self.requests, self.answers = queue.Queue(), queue.Queue(), queue.Queue()


class RuntimeApiHandler(Handler):
    def do_GET(self):
        self.server.requests.put(True)
        event = self.server.events.get()
        if event is None:  # the round is over; the function is killed while it waits
            return
        deadline = int((time.time() + TIMEOUT) * 1000)
        with contextlib.suppress(ConnectionError):
            self.answer(200, event, [
                ("Content-Type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4())),
                ("Lambda-Runtime-Deadline-Ms", str(deadline)),
                ("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:measured"),
                ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
            ])

    def do_POST(self):
        body = self.body()
        kind = self.path.rsplit("/", 1)[-1]
        self.server.answers.put((kind, body.decode("utf-8", "replace")))
        self.answer(202, b'{"status":"OK"}', [("Content-Type", "application/json")])


class Aws(http.server.ThreadingHTTPServer):
    """An AWS endpoint that answers the calls of the measured functions, and refuses any other by name."""

    daemon_threads = True

    def __init__(self, root_keys, certificate):
        super().__init__(("127.0.0.1", 0), AwsHandler)
        self.root_keys, self.calls = root_keys, []
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake runs in the connection's thread, not in the one that accepts connections.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Ignored: a killed function leaves broken connections behind."""


class AwsHandler(Handler):
    def do_POST(self):
        body = self.body()
        target = self.headers.get("X-Amz-Target", "")
        name = target.rsplit(".", 1)[-1]
        if not name:
            fields = dict(part.split("=", 1) for part in body.decode().split("&") if "=" in part)
            name = fields.get("Action", self.path)
        self.server.calls.append(name)
        if name == "PutEvaluations":
            self.answer(200, b'{"FailedEvaluations":[]}', [("Content-Type", "application/x-amz-json-1.1")])
        elif name == "GetComplianceDetailsByConfigRule":
            self.answer(200, b'{"EvaluationResults":[]}', [("Content-Type", "application/x-amz-json-1.1")])
        elif name == "GetAccountSummary":
            self.answer(200, account_summary(self.server.root_keys), [("Content-Type", "text/xml")])
        elif name == "AssumeRole":  # rdklib always assumes the rule's role
            self.answer(200, ASSUMED_ROLE, [("Content-Type", "text/xml")])
        else:
            refusal = {"__type": "NotImplemented", "message": f"`{name}` is not implemented by this script"}
            self.answer(501, json.dumps(refusal).encode(), [("Content-Type", "application/x-amz-json-1.1")])


def account_summary(root_keys):
    """An answer of `GetAccountSummary` with the size of a real one."""
    numbers = {
        "AccountAccessKeysPresent": root_keys, "AccountMFAEnabled": 1, "Users": 27, "UsersQuota": 5000, "Groups": 15,
        "GroupsQuota": 300, "Roles": 61, "RolesQuota": 1000, "Policies": 8, "PoliciesQuota": 1500, "MFADevices": 6,
        "MFADevicesInUse": 3, "ServerCertificates": 1, "ServerCertificatesQuota": 20, "AccessKeysPerUserQuota": 2,
        "GroupsPerUserQuota": 10, "UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120, "Providers": 1,
        "PolicySizeQuota": 6144, "PolicyVersionsInUse": 22, "PolicyVersionsInUseQuota": 10000,
        "VersionsPerPolicyQuota": 5, "SigningCertificatesPerUserQuota": 2, "AttachedPoliciesPerUserQuota": 10,
    }
    entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in numbers.items())
    return (
        '<GetAccountSummaryResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountSummaryResult>'
        f"<SummaryMap>{entries}</SummaryMap></GetAccountSummaryResult>"
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></GetAccountSummaryResponse>"
    ).encode()


def certificate(folder):
    """A certificate for 127.0.0.1 with its key, and a bundle of its authority and those that the system trusts."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=measure", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "leaf.pem")
    bundle = (folder / "ca.pem").read_text()
    for system in SYSTEM_CERTIFICATES:
        if pathlib.Path(system).exists():
            bundle += pathlib.Path(system).read_text()
            break
    (folder / "bundle.pem").write_text(bundle)
    return (str(folder / "leaf.pem"), str(folder / "leaf.key")), str(folder / "bundle.pem")


def environment(runtime_api, config, everything_else, bundle, extra):
    """The variables that Lambda sets, and the endpoints."""
    variables = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "en_US.UTF-8", "TZ": ":UTC",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "measured", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/measured",
        "AWS_LAMBDA_LOG_STREAM_NAME": "measured", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": os.getcwd(),
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured", "AWS_SESSION_TOKEN": "measured", "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": everything_else.url, "AWS_ENDPOINT_URL_CONFIG_SERVICE": config.url,
    }
    if bundle:
        variables |= {"SSL_CERT_FILE": bundle, "AWS_CA_BUNDLE": bundle}
    return variables | extra


def cpu_seconds(process):
    """CPU time of the process and all its threads, including ended ones: its CPU clock (CPUCLOCK_SCHED in the kernel)."""
    return time.clock_gettime((~process.pid << 3) | 2)


def peak_kib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise MeasurementFailed("no VmHWM in /proc")


def run_once(subject, event, given, certified, bundle):
    """Runs one process: its first event, then the warm ones."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runtime_api = RuntimeApi()
        config, rest = Aws(given.root_keys, certified), Aws(given.root_keys, certified)
        for server in (runtime_api, config, rest):
            threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        stack.callback(runtime_api.events.put, None)
        log = stack.enter_context((folder / "log").open("w+"))
        process = subprocess.Popen(
            subject.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False,
            env=environment(runtime_api, config, rest, bundle, dict(given.env)))
        stack.callback(process.wait)
        stack.callback(process.kill)

        def wait_for_request():
            """Waits until the function requests an event, and so has finished the last one."""
            deadline = time.monotonic() + TIMEOUT
            while True:
                with contextlib.suppress(queue.Empty):
                    return runtime_api.requests.get(timeout=0.2)
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    ended = "still running" if process.returncode is None else f"exit status {process.returncode}"
                    output = log.read()[-800:].strip() or "no output"
                    raise MeasurementFailed(f"{subject.name}: did not request an event: {ended}: {output}")

        def invoke():
            runtime_api.events.put(event)
            wait_for_request()
            kind, answer = runtime_api.answers.get(timeout=TIMEOUT)
            if kind != "response":
                raise MeasurementFailed(f"{subject.name}: the invocation failed: {answer[:800]}")

        wait_for_request()
        invoke()
        cold = cpu_seconds(process)
        calls = config.calls + rest.calls
        for _ in range(given.warm):
            invoke()
        if given.warm:
            subject.warm.append((cpu_seconds(process) - cold) / given.warm * 1000)
        subject.cold.append(cold * 1000)
        subject.peak.append(peak_kib(process))
        subject.calls = calls


def sizes(command):
    """The size of the program and of a zip file with it, in MB; `-` if the command is more than a program."""
    if len(command) > 1:
        return "-", "-"
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(command[0], "bootstrap")
        return f"{os.path.getsize(command[0]) / 1e6:.2f}", f"{file.seek(0, 2) / 1e6:.2f}"


def table(subjects):
    first = subjects[0]

    def spread(values):
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        return f"{statistics.median(values):.2f} ({low:.2f}-{high:.2f})"

    def ratio(values, base):
        return f"{statistics.median(values) / statistics.median(base):.2f}" if values and base else "-"

    rows = [("function", "cold CPU ms", "ratio", "warm CPU ms", "ratio", "peak MiB", "size MB", "zip MB", "calls")]
    for it in subjects:
        rows.append((
            it.name, spread(it.cold), ratio(it.cold, first.cold), spread(it.warm) if it.warm else "-",
            ratio(it.warm, first.warm), f"{statistics.median(it.peak) / 1024:.2f}", *sizes(it.command),
            ", ".join(it.calls) or "none"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def function(text):
    name, _, command = text.partition("=")
    if not name or not command:
        raise argparse.ArgumentTypeError(f"expected NAME=COMMAND: received `{text}`")
    return Subject(name, shlex.split(command))


def at_least(minimum):
    def whole_number(text):
        if not text.isdigit() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number from {minimum}: received `{text}`")
        return int(text)

    return whole_number


def variable(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE: received `{text}`")
    return name, value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("functions", nargs="+", type=function, metavar="NAME=COMMAND",
                        help="the functions to measure; ratios are to the first one")
    parser.add_argument("--event", required=True, type=pathlib.Path, help="file with the event for all functions")
    parser.add_argument("--runs", type=at_least(1), default=25, help="processes per function (default 25)")
    parser.add_argument("--warm", type=at_least(0), default=100,
                        help="events per process after the first (default 100)")
    parser.add_argument("--root-keys", type=at_least(0), default=0, help="access keys of the root user (default 0)")
    parser.add_argument("--env", action="append", default=[], type=variable, metavar="NAME=VALUE",
                        help="an additional variable for all functions; repeatable")
    parser.add_argument("--plain", action="store_true", help="endpoints without TLS")
    return parser.parse_args()


def main():
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        try:
            event = given.event.read_bytes()
            certified, bundle = (None, None) if given.plain else certificate(pathlib.Path(folder))
            for at in range(given.runs):
                if sys.stderr.isatty():
                    print(f"\rround {at + 1}/{given.runs}", end="", file=sys.stderr, flush=True)
                for it in given.functions:
                    run_once(it, event, given, certified, bundle)
        except (MeasurementFailed, OSError, subprocess.CalledProcessError) as reason:
            print(f"measure: {reason}", file=sys.stderr)
            return 1
        if sys.stderr.isatty():
            print("\r", end="", file=sys.stderr)
    print(f"{given.runs} runs, {given.warm} warm events each, median (quartiles), "
          f"{'plain HTTP' if given.plain else 'TLS'}, {os.cpu_count()} cores {os.uname().machine}")
    print(table(given.functions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
