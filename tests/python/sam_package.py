"""Packages the templates with SAM, as `sam deploy` does before it deploys, against moto.

Usage: sam_package.py <sam> <moto_server>. Every nested template and the code of every function must be uploaded; the
programs are replaced by one line of text, because only their paths matter here.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import boto3

ROOT = pathlib.Path(__file__).parents[2]
BUCKET = "code"


def server(program, folder):
    """A moto on a free port, and its address."""
    log = folder / "moto.log"
    process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", "0"], stdout=log.open("w"), stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
        if found:
            return process, found.group()
        if process.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit(f"moto did not start: {log.read_text()}")


def main(sam, moto):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(ROOT / "template.yaml", folder)
        shutil.copytree(ROOT / "deploy", folder / "deploy")
        templates = [folder / "template.yaml", *sorted(folder.glob("deploy/controls/*.yaml"))]
        for template in templates:
            for uri in re.findall(r"CodeUri: (\S+)", template.read_text()):
                code = (template.parent / uri).resolve()
                if folder.resolve() not in code.parents:
                    sys.exit(f"{template.name}: {uri}: outside of the repository")
                code.mkdir(parents=True, exist_ok=True)
                (code / "bootstrap").write_text(f"{code.name}\n")
        process, endpoint = server(moto, folder)
        try:
            environment = {
                **os.environ,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": endpoint,
                "SAM_CLI_TELEMETRY": "0",
            }
            s3 = boto3.client(
                "s3",
                endpoint_url=endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            s3.create_bucket(Bucket=BUCKET)
            command = [sam, "package", "--s3-bucket", BUCKET, "--output-template-file", "packaged.yaml"]
            run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f"sam package: exit code {run.returncode}: {run.stdout}{run.stderr}")
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
            objects = {it["Key"] for page in pages for it in page.get("Contents", [])}
            read = lambda key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
            nested = [read(key) for key in objects if key.endswith(".template")]
        finally:
            process.terminate()
            process.wait()
        packaged = (folder / "packaged.yaml").read_text()
        locations = re.findall(r"Location: (\S+)", packaged)
        uris = re.findall(r"CodeUri: (\S+)", "\n".join([packaged, *nested]))
        left = [it for it in [*locations, *uris] if it.rsplit("/", 1)[-1] not in objects]
        assert len(nested) == len(locations) == len(templates) - 1, (len(nested), len(locations))
        assert uris and not left, f"not uploaded: {left}"
        print(f"sam package: {len(nested)} nested templates and {len(uris)} functions are uploaded")


if __name__ == "__main__":
    main(*sys.argv[1:])
