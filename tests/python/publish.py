"""Publishes releases with `rectify publish` to S3 in the emulator, which ignores the expected owner of a bucket.

Usage: publish.py <rectify> <moto_server>. Calls to the emulator are plain HTTP, which the policy of a release bucket
denies for objects: the policy is deleted before an object is read or written again.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import boto3
from botocore.exceptions import ClientError
from sam_package import server

FILES = {"template.yaml": "Resources: {}\n", "functions/restricted-ssh.zip": "zip"}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def release(folder, version, files):
    """A folder as `make release` writes it."""
    sha256 = lambda text: hashlib.sha256(text.encode()).hexdigest()
    manifest = {"version": version, "files": [{"path": path, "sha256": sha256(it)} for path, it in files.items()]}
    for path, text in {**files, "manifest.json": json.dumps(manifest), "SHA256SUMS": "sums\n"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def policy(bucket):
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OrganizationReads",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"{arn}/*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def main(rectify, moto):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process, endpoint = server(moto, folder)
        try:
            check(rectify, endpoint, folder / "release")
        finally:
            process.terminate()
            process.wait()


def check(rectify, endpoint, folder):
    s3 = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )

    def publish(prefix, regions):
        place = ["--bucket-prefix", prefix, "--regions", regions, "--organization", "o-exampleorgid"]
        command = [rectify, "publish", "--json", "--release", folder, *place]
        environment = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "PATH": os.environ["PATH"]}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return run.returncode, json.loads(run.stdout)

    def counts(answer):
        code, report = answer
        assert code == 0, report
        return {it["bucket"]: (it["created"], it["uploaded"], it["unchanged"]) for it in report["buckets"]}

    def unshare(*buckets):
        for bucket in buckets:
            assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy(bucket)
            s3.delete_bucket_policy(Bucket=bucket)

    # One bucket for each region, shared and protected, with every file.
    home, other = "acme-us-east-1", "acme-eu-west-1"
    release(folder, "1.0.0", FILES)
    assert counts(publish("acme", "us-east-1,eu-west-1,us-east-1")) == {home: (True, 4, 0), other: (True, 4, 0)}
    assert s3.get_bucket_location(Bucket=other)["LocationConstraint"] == "eu-west-1"
    # The same policy is accepted: a new version fails no earlier than at its upload.
    release(folder, "1.0.1", FILES)
    code, answer = publish("acme", "us-east-1")
    assert code == 3 and answer["error"]["message"].startswith("s3:PutObject: "), answer
    unshare(home, other)
    for bucket in (home, other):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert len(block) == 4 and all(block.values()), block
        for path, text in FILES.items():
            found = s3.get_object(Bucket=bucket, Key=f"1.0.0/{path}", ChecksumMode="ENABLED")
            assert found["Body"].read().decode() == text and found["ChecksumSHA256"], found

    # The same again, after an interruption, and the next version.
    release(folder, "1.0.0", FILES)
    assert counts(publish("acme", "us-east-1,eu-west-1")) == {home: (False, 0, 4), other: (False, 0, 4)}
    unshare(home, other)
    for path in ("functions/restricted-ssh.zip", "manifest.json"):
        s3.delete_object(Bucket=home, Key=f"1.0.0/{path}")
    assert counts(publish("acme", "us-east-1,eu-west-1")) == {home: (False, 2, 2), other: (False, 0, 4)}
    unshare(home, other)
    release(folder, "1.0.1", FILES)
    assert counts(publish("acme", "us-east-1")) == {home: (False, 4, 0)}
    unshare(home)

    # A published version does not change, and no bucket of another region is created.
    release(folder, "1.0.0", {**FILES, "template.yaml": "Resources: { A: {} }\n", "more.zip": "more"})
    code, answer = publish("acme", "ap-south-1,us-east-1")
    error = answer["error"]
    assert code == 1 and error["details"]["changed"] == ["1.0.0/template.yaml", "1.0.0/manifest.json"], answer
    assert error["message"].startswith(f"bucket {home}: 1.0.0/template.yaml: 2 of 5 files differ"), error
    assert {it["Name"] for it in s3.list_buckets()["Buckets"]} == {home, other}
    assert s3.get_object(Bucket=home, Key="1.0.0/template.yaml")["Body"].read().decode() == FILES["template.yaml"]

    # A bucket with another policy, or in another region, is left alone.
    release(folder, "1.0.0", FILES)
    s3.create_bucket(Bucket="else-us-east-1")
    others = {"Version": "2012-10-17", "Statement": [policy("else-us-east-1")["Statement"][0]]}
    s3.put_bucket_policy(Bucket="else-us-east-1", Policy=json.dumps(others))
    code, answer = publish("else", "us-east-1")
    assert code == 1 and answer["error"]["details"]["received"] == others, answer
    assert "delete the policy, or pass another --bucket-prefix" in answer["error"]["message"], answer
    assert "Contents" not in s3.list_objects_v2(Bucket="else-us-east-1")
    s3.create_bucket(Bucket="else-eu-west-1")
    code, answer = publish("else", "eu-west-1")
    expected = "bucket else-eu-west-1: expected region eu-west-1: received us-east-1"
    assert code == 1 and answer["error"]["message"].startswith(expected), answer

    # A damaged release creates no bucket.
    (folder / "template.yaml").write_text("damaged")
    code, answer = publish("damaged", "us-east-1")
    assert code == 2 and "template.yaml: expected SHA-256 " in answer["error"]["message"], answer
    try:
        s3.head_bucket(Bucket="damaged-us-east-1")
        sys.exit("a damaged release creates a bucket")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "404", error
    print("publish: two regions, a new version, and five refusals")


if __name__ == "__main__":
    main(*sys.argv[1:])
