"""The server's APIs by the standard library alone: EC2's Query API and EBS direct, signed (SigV4)."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import re
import threading
import time
import urllib.parse
import xml.etree.ElementTree

REGION = "us-east-1"
ZONE = REGION + "a"
BLOCK = 512 << 10


class ApiError(RuntimeError):
    """An answer other than 2xx."""


class Api:
    """Calls to one server; each thread has a connection of its own."""

    def __init__(self, address, key, secret, region=REGION):
        self.address, self.key, self.secret, self.region = address, key, secret, region
        self.local = threading.local()

    def ec2(self, action, **parameters):
        """An EC2 action; lists are given as EC2 spells them (`VolumeId_1`). Gives the answer's XML without namespaces."""
        fields = {"Action": action, "Version": "2016-11-15"}
        fields |= {name.replace("_", "."): str(value) for name, value in parameters.items()}
        body = urllib.parse.urlencode(fields).encode()
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        text = self._call("ec2", "POST", "/", {}, body, headers).decode()
        return xml.etree.ElementTree.fromstring(re.sub(r'\sxmlns="[^"]+"', "", text))

    def ebs(self, method, path, query=None, body=b"", headers=None):
        """An EBS direct call; gives the bytes of the answer."""
        return self._call("ebs", method, path, query or {}, body, headers or {})

    def _call(self, service, method, path, query, body, headers):
        quoted = "&".join(f"{_quote(name)}={_quote(str(query[name]))}" for name in sorted(query))
        headers = self._signed(service, method, path, quoted, body, headers)
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection(self.address, timeout=600)
        try:
            connection.request(method, path + ("?" + quoted if quoted else ""), body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.local.connection = None
            raise
        if not 200 <= answer.status < 300:
            raise ApiError(f"{method} {path}: {answer.status} {data[:2000].decode(errors='replace')}")
        return data

    def _signed(self, service, method, path, query, body, headers):
        """The headers with a signature: AWS Signature Version 4."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        content = headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
        headers = headers | {"host": self.address, "x-amz-date": now, "x-amz-content-sha256": content}
        names = sorted(name.lower() for name in headers)
        values = {name.lower(): value for name, value in headers.items()}
        canonical = "\n".join([method, path, query, *(f"{name}:{values[name]}" for name in names), "", ";".join(names), content])
        scope = f"{now[:8]}/{self.region}/{service}/aws4_request"
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        values["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, "
                                   f"SignedHeaders={';'.join(names)}, Signature={signature}")
        return values

    # Snapshots by EBS direct.

    def start_snapshot(self, gib, parent=None):
        body = {"VolumeSize": gib} | ({"ParentSnapshotId": parent} if parent else {})
        answer = self.ebs("POST", "/snapshots", body=json.dumps(body).encode(), headers={"content-type": "application/json"})
        return json.loads(answer)["SnapshotId"]

    def put_block(self, snapshot, index, data):
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        self.ebs("PUT", f"/snapshots/{snapshot}/blocks/{index}", body=data, headers={
            "x-amz-Data-Length": str(len(data)), "x-amz-Checksum": checksum, "x-amz-Checksum-Algorithm": "SHA256",
            "content-type": "application/octet-stream", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})

    def get_block(self, snapshot, index, token):
        return self.ebs("GET", f"/snapshots/{snapshot}/blocks/{index}", {"blockToken": token})

    def complete_snapshot(self, snapshot, changed):
        self.ebs("POST", f"/snapshots/completion/{snapshot}", headers={"x-amz-ChangedBlocksCount": str(changed)})
        self.completed(snapshot)

    def changed_blocks(self, first, second, **query):
        """One page of ListChangedBlocks."""
        return json.loads(self.ebs("GET", f"/snapshots/{second}/changedblocks", {"firstSnapshotId": first} | query))

    # Snapshots and volumes by EC2.

    def create_snapshot(self, volume):
        return self.ec2("CreateSnapshot", VolumeId=volume).findtext("snapshotId")

    def snapshot_state(self, snapshot):
        return self.ec2("DescribeSnapshots", SnapshotId_1=snapshot).findtext("snapshotSet/item/status")

    def completed(self, snapshot, every=0.01):
        """Waits until a snapshot is completed."""
        while (state := self.snapshot_state(snapshot)) != "completed":
            if state != "pending":
                raise ApiError(f"{snapshot} is {state}")
            time.sleep(every)

    def create_volume(self, gib=None, snapshot=None, rate=None, available=True):
        """Makes a volume; `rate` is its VolumeInitializationRate in MiB/s."""
        parameters = {"AvailabilityZone": ZONE, "VolumeType": "gp3"}
        parameters |= {"Size": gib} if gib else {}
        parameters |= {"SnapshotId": snapshot} if snapshot else {}
        parameters |= {"VolumeInitializationRate": rate} if rate else {}
        volume = self.ec2("CreateVolume", **parameters).findtext("volumeId")
        while available and self.volume_state(volume) != "available":
            time.sleep(0.002)
        return volume

    def volume_state(self, volume):
        return self.ec2("DescribeVolumes", VolumeId_1=volume).findtext("volumeSet/item/status")

    def attachment_state(self, volume):
        return self.ec2("DescribeVolumes", VolumeId_1=volume).findtext("volumeSet/item/attachmentSet/item/status")

    def instance_state(self, instance):
        return self.ec2("DescribeInstances", InstanceId_1=instance).findtext(
            "reservationSet/item/instancesSet/item/instanceState/name")


def _quote(text):
    return urllib.parse.quote(text, safe="-_.~")
