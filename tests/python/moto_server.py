"""moto_server for the tests: started once, forked for each test that wants an AWS of its own.

A moto_server takes three seconds of CPU until it has answered its first calls to EC2 and IAM: it loads both services,
and every managed policy. This program loads them once. It takes the arguments of moto_server and does three things:

* It connects to the parent, a process of this file, and starts one where there is none.
* The parent forks a server, which inherits what the parent has loaded, and writes to the caller's standard output.
* The server ends when the connection closes, which is when the caller ends, however it ends.

The parent ends when it has had no server for IDLE seconds. `make demo` and `make local` run moto_server itself.
"""

import array
import fcntl
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

IDLE = 15
START = 60
# One parent for each installation, user and environment: it is the environment of every server.
OWN = json.dumps([sys.executable, os.getuid(), sorted((k, v) for k, v in os.environ.items() if k.startswith("MOTO_"))])
SOCKET = os.path.join(tempfile.gettempdir(), f"rectify-moto-{hashlib.sha256(OWN.encode()).hexdigest()[:16]}")
# What a service is first called with takes longest, whatever it is.
QUERIES = {
    "ec2": "DescribeSecurityGroups", "iam": "ListUsers", "rds": "DescribeDBInstances", "sns": "ListTopics",
    "cloudformation": "ListStacks",
}
TARGETS = {
    "cloudtrail": "CloudTrail_20131101.DescribeTrails", "dynamodb": "DynamoDB_20120810.ListTables",
    "events": "AWSEvents.ListEventBuses", "kms": "TrentService.ListKeys", "logs": "Logs_20140328.DescribeLogGroups",
    "sqs": "AmazonSQS.ListQueues", "ssm": "AmazonSSM.DescribeParameters",
    "monitoring": "GraniteServiceVersion20100801.DescribeAlarms",
}


def connect():
    """A connection to the parent, or None where there is no parent."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(SOCKET)
        return connection
    except OSError:
        connection.close()
        return None


def fork(arguments):
    """The id of a server that the parent forked for these arguments, and the connection that keeps it alive."""
    connection = connect()
    if connection is None:
        return None
    output = array.array("i", [1, 2])
    try:
        connection.sendmsg([json.dumps(arguments).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, output)])
        answer = connection.recv(16)
    except OSError:
        answer = b""
    # A parent that is ending accepts no more: the connection closes without an answer.
    return connection if answer else None


def start_parent():
    """Starts the parent, and waits until it listens. One caller at a time does so."""
    with open(SOCKET + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        until = time.monotonic() + START
        if connect() is None:
            with open(SOCKET + ".log", "w") as log:
                subprocess.Popen(
                    [sys.executable, os.path.abspath(__file__), "--parent"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )
        while connect() is None:
            if time.monotonic() > until:
                raise SystemExit(f"moto_server: its parent did not start within {START} s: see {SOCKET}.log")
            time.sleep(0.05)


def caller(arguments):
    """Has a server until the end of this process or of the server."""
    connection = fork(arguments)
    while connection is None:
        start_parent()
        connection = fork(arguments)
    # Nothing more is sent: this returns when the server has ended.
    connection.recv(1)
    raise SystemExit(1)


def parent():
    """Loads moto and forks a server for each caller."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.test import Client

    application = DomainDispatcherApplication(create_backend_app)
    application.debug = True
    client = Client(application)

    def call(service, headers, body):
        credential = f"Credential=test/20260101/us-east-1/{service}/aws4_request"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
        client.post("/", headers=headers, data=body)

    for service, action in QUERIES.items():
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        call(service, form, f"Action={action}")
    for service, target in TARGETS.items():
        call(service, {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}, "{}")
    call("s3", {}, "")

    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.listen(64)
    listener.settimeout(1)
    busy = time.monotonic()
    while time.monotonic() - busy < IDLE:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            if has_servers():
                busy = time.monotonic()
            continue
        connection.settimeout(5)
        try:
            message, rights, _, _ = connection.recvmsg(4096, socket.CMSG_LEN(2 * 4))
        except OSError:
            message = b""
        if message:
            busy = time.monotonic()
            files = array.array("i", rights[0][2])
            if os.fork() == 0:
                listener.close()
                server(application, json.loads(message), files, connection)
            for file in files:
                os.close(file)
        connection.close()
    os.unlink(SOCKET)


def has_servers():
    """Whether a forked server still runs; those that have ended are collected."""
    try:
        while True:
            process, _ = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return True
    except ChildProcessError:
        return False


def server(application, arguments, output, connection):
    """A moto_server; ends with its connection."""
    import argparse
    import threading

    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import run_simple

    options = argparse.ArgumentParser()
    options.add_argument("-H", "--host", default="127.0.0.1")
    options.add_argument("-p", "--port", type=int, default=5000)
    options = options.parse_args(arguments)
    os.dup2(output[0], 1)
    os.dup2(output[1], 2)
    os.environ["MOTO_PORT"] = str(options.port)
    connection.settimeout(None)
    connection.send(b"forked")

    def watch():
        connection.recv(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    try:
        run_simple(options.host, options.port, application, threaded=True, request_handler=MotoRequestHandler)
    finally:
        os._exit(1)


if __name__ == "__main__":
    if sys.argv[1:] == ["--parent"]:
        parent()
    else:
        caller(sys.argv[1:])
