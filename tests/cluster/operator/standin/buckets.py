# SPDX-License-Identifier: GPL-3.0-or-later
"""Bucket claims: a bucket with a user of its own, handed over as a ConfigMap and a Secret."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from . import objectstores
from .api import Api, ApiError
from .ceph import Ceph, CephError
from .words import Object, name_of, owned

log = logging.getLogger("buckets")


def run(api: Api, cluster: Object, connect: Callable[[], Ceph | None]) -> None:
    """Serve the claims of all namespaces whose class leads to a store of this cluster."""
    waiting = [claim for claim in api.list("ObjectBucketClaim") if (claim.get("status") or {}).get("phase") != "Bound"]
    if not waiting:
        return
    provisioner = f"{cluster['metadata']['namespace']}.ceph.rook.io/bucket"
    classes = {name_of(item): item for item in api.list("StorageClass") if item.get("provisioner") == provisioner}
    for claim in waiting:
        parameters = (classes.get(claim["spec"].get("storageClassName", "")) or {}).get("parameters") or {}
        if parameters.get("objectStoreNamespace") != cluster["metadata"]["namespace"]:
            continue
        store = api.get("CephObjectStore", parameters["objectStoreNamespace"], parameters.get("objectStoreName", ""))
        ceph = connect()
        if store is None or ceph is None or (store.get("status") or {}).get("phase") != "Ready":
            continue
        try:
            _bind(api, claim, classes[claim["spec"]["storageClassName"]], store, ceph)
        except (CephError, ApiError, OSError) as error:
            log.error("claim %s/%s: %s", claim["metadata"]["namespace"], name_of(claim), error)


def _bind(api: Api, claim: Object, storage_class: Object, store: Object, ceph: Ceph) -> None:
    namespace, name, spec = claim["metadata"]["namespace"], name_of(claim), claim["spec"]
    bucket = spec.get("bucketName")
    if not bucket:
        # Written down first, so that a second try uses the same name.
        bucket = f"{spec['generateBucketName']}-{uuid.uuid4()}"
        api.merge("ObjectBucketClaim", namespace, name, {"spec": {"bucketName": bucket}})
    store_name = name_of(store)
    user = f"obc-{namespace}-{name}"
    keys = objectstores.ensure_user(ceph, store_name, user, user)
    make_bucket(objectstores.endpoint(store), bucket, keys["access_key"], keys["secret_key"])
    _quota(ceph, store_name, user, spec.get("additionalConfig") or {})
    endpoint = {"bucketHost": objectstores.host(store_name, store["metadata"]["namespace"]), "bucketName": bucket}
    endpoint["bucketPort"] = int(store["spec"]["gateway"].get("port") or 80)
    _hand_over(api, claim, endpoint, keys)
    _object_bucket(api, claim, storage_class, endpoint, user)
    after = {"spec": {"objectBucketName": f"obc-{namespace}-{name}"}}
    api.merge("ObjectBucketClaim", namespace, name, after)
    api.merge("ObjectBucketClaim", namespace, name, {"status": {"phase": "Bound"}}, "status")
    log.info("claim %s/%s: bucket %s", namespace, name, bucket)


def _hand_over(api: Api, claim: Object, endpoint: Object, keys: dict[str, str]) -> None:
    namespace, name = claim["metadata"]["namespace"], name_of(claim)
    metadata = {"name": name, "namespace": namespace, "labels": {"bucket-provisioner": "rook-ceph.ceph.rook.io-bucket"}}
    told = {
        "BUCKET_HOST": endpoint["bucketHost"],
        "BUCKET_NAME": endpoint["bucketName"],
        "BUCKET_PORT": str(endpoint["bucketPort"]),
        "BUCKET_REGION": "",
        "BUCKET_SUBREGION": "",
    }
    api.replace("ConfigMap", namespace, owned({"metadata": metadata, "data": told}, claim))
    secret = {"AWS_ACCESS_KEY_ID": keys["access_key"], "AWS_SECRET_ACCESS_KEY": keys["secret_key"]}
    api.replace("Secret", namespace, owned({"metadata": metadata, "stringData": secret}, claim))


def _object_bucket(api: Api, claim: Object, storage_class: Object, endpoint: Object, user: str) -> None:
    namespace, name = claim["metadata"]["namespace"], name_of(claim)
    reference = {"apiVersion": claim["apiVersion"], "kind": claim["kind"], "namespace": namespace, "name": name}
    thing = {
        "metadata": {"name": f"obc-{namespace}-{name}"},
        "spec": {
            "storageClassName": name_of(storage_class),
            "reclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "claimRef": {**reference, "uid": claim["metadata"]["uid"]},
            "endpoint": {**endpoint, "region": "", "subRegion": "", "additionalConfig": {}},
            "additionalState": {"cephUser": user},
        },
    }
    api.ensure("ObjectBucket", None, thing)


def _quota(ceph: Ceph, store_name: str, user: str, config: Object) -> None:
    limits = [f"--max-objects={config['maxObjects']}"] if config.get("maxObjects") else []
    limits += [f"--max-size={config['maxSize']}"] if config.get("maxSize") else []
    if limits:
        where = [f"--rgw-realm={store_name}", f"--rgw-zonegroup={store_name}", f"--rgw-zone={store_name}"]
        ceph.rgw("quota", "set", *where, "--quota-scope=user", f"--uid={user}", *limits)
        ceph.rgw("quota", "enable", *where, "--quota-scope=user", f"--uid={user}")


def make_bucket(endpoint: str, bucket: str, access: str, secret: str) -> None:
    """Make a bucket by the S3 protocol; one that the user owns already is fine."""
    place = urlsplit(endpoint)
    headers = signed("PUT", place.netloc, f"/{bucket}", access, secret, datetime.now(UTC))
    headers["Host"] = place.netloc  # as it was signed: left to the client, it would lack the usual port
    connection = http.client.HTTPConnection(place.netloc, timeout=30)
    try:
        connection.request("PUT", f"/{bucket}", headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status >= 300 and "BucketAlreadyOwnedByYou" not in text:
        raise CephError(f"{endpoint} made no bucket {bucket}: {answer.status}: {text[:200]}")


def signed(method: str, host: str, path: str, access: str, secret: str, when: datetime) -> dict[str, str]:
    """The headers of a request without a body, signed with AWS signature version 4 for the empty region's default."""
    stamp, day, region = when.strftime("%Y%m%dT%H%M%SZ"), when.strftime("%Y%m%d"), "us-east-1"
    empty = hashlib.sha256(b"").hexdigest()
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = f"{method}\n{path}\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{stamp}\n\n{names}\n{empty}"
    scope = f"{day}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"x-amz-date": stamp, "x-amz-content-sha256": empty, "Authorization": authorization}
