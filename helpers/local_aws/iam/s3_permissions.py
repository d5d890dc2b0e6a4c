"""Find what S3's operations need: its actions have names of their own, and its ARNs have no account.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlparse

from ..http.call import Ambiguous, Call
from .permissions import NoResource, Permission

#: Of operations on a bucket: the action, where it is not the operation's own name.
_ON_BUCKET = {
    "CreateBucket": "CreateBucket",
    "DeleteBucket": "DeleteBucket",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketPolicyStatus": "GetBucketPolicyStatus",
    "DeleteBucketPolicy": "DeleteBucketPolicy",
    "DeleteBucketWebsite": "DeleteBucketWebsite",
}
#: What is configured of a bucket, by the end of the operation's name, and what the action calls it. To delete most of
#: it is to put nothing there.
_CONFIGURED = {
    "BucketAccelerateConfiguration": "AccelerateConfiguration",
    "BucketAcl": "BucketAcl",
    "BucketAnalyticsConfiguration": "AnalyticsConfiguration",
    "BucketAnalyticsConfigurations": "AnalyticsConfiguration",
    "BucketCors": "BucketCORS",
    "BucketEncryption": "EncryptionConfiguration",
    "BucketIntelligentTieringConfiguration": "IntelligentTieringConfiguration",
    "BucketIntelligentTieringConfigurations": "IntelligentTieringConfiguration",
    "BucketInventoryConfiguration": "InventoryConfiguration",
    "BucketInventoryConfigurations": "InventoryConfiguration",
    "BucketLifecycle": "LifecycleConfiguration",
    "BucketLifecycleConfiguration": "LifecycleConfiguration",
    "BucketLogging": "BucketLogging",
    "BucketMetricsConfiguration": "MetricsConfiguration",
    "BucketMetricsConfigurations": "MetricsConfiguration",
    "BucketNotification": "BucketNotification",
    "BucketNotificationConfiguration": "BucketNotification",
    "BucketOwnershipControls": "BucketOwnershipControls",
    "BucketPolicy": "BucketPolicy",
    "BucketReplication": "ReplicationConfiguration",
    "BucketRequestPayment": "BucketRequestPayment",
    "BucketTagging": "BucketTagging",
    "BucketVersioning": "BucketVersioning",
    "BucketWebsite": "BucketWebsite",
    "ObjectLockConfiguration": "BucketObjectLockConfiguration",
    "PublicAccessBlock": "BucketPublicAccessBlock",
}
#: Of operations on an object: their actions. With a version, those that know versions are others ("GetObjectVersion").
_ON_OBJECT = {
    "AbortMultipartUpload": ("AbortMultipartUpload",),
    "CompleteMultipartUpload": ("PutObject",),
    "CopyObject": ("PutObject",),
    "CreateMultipartUpload": ("PutObject",),
    "DeleteObject": ("DeleteObject",),
    "DeleteObjectTagging": ("DeleteObjectTagging",),
    "GetObject": ("GetObject",),
    "GetObjectAcl": ("GetObjectAcl",),
    "GetObjectAttributes": ("GetObject", "GetObjectAttributes"),
    "GetObjectLegalHold": ("GetObjectLegalHold",),
    "GetObjectRetention": ("GetObjectRetention",),
    "GetObjectTagging": ("GetObjectTagging",),
    "GetObjectTorrent": ("GetObjectTorrent",),
    "HeadObject": ("GetObject",),
    "ListParts": ("ListMultipartUploadParts",),
    "PutObject": ("PutObject",),
    "PutObjectAcl": ("PutObjectAcl",),
    "PutObjectLegalHold": ("PutObjectLegalHold",),
    "PutObjectRetention": ("PutObjectRetention",),
    "PutObjectTagging": ("PutObjectTagging",),
    "RestoreObject": ("RestoreObject",),
    "SelectObjectContent": ("GetObject",),
    "UploadPart": ("PutObject",),
    "UploadPartCopy": ("PutObject",),
}
_WITH_VERSIONS = re.compile(r"(Get|Put|Delete)Object(|Acl|Tagging|Torrent|Attributes)")
_GRANTS = frozenset({"ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP"})
_KEYS = re.compile(rb"<(?:\w+:)?Key[\s/>]")


def needed(call: Call) -> list[Permission]:
    """Return the permissions that an operation needs. Raises NoResource for one that is not in AWS's tables here."""
    if call.name == "ListBuckets":
        return [Permission("s3:ListAllMyBuckets", "arn:aws:s3:::*")]
    bucket, key = _place(call)
    if call.name == "DeleteObjects":
        return _deleted(call, bucket)
    if call.name in _ON_OBJECT:
        return _on_object(call, bucket, key)
    kind = re.fullmatch(r"(Get|Put|Delete|List)(\w+)", call.name)
    action = _ON_BUCKET.get(call.name)
    if action is None and kind is not None and kind[2] in _CONFIGURED:
        action = f"{'Get' if kind[1] in ('Get', 'List') else 'Put'}{_CONFIGURED[kind[2]]}"
    if action is None:
        raise NoResource(call.name)
    return [Permission(f"s3:{action}", f"arn:aws:s3:::{bucket}")]


def _place(call: Call) -> tuple[str, str]:
    """Return bucket and key. Raises Ambiguous when moto would read others in the same path."""
    from moto.s3bucket_path.utils import bucket_name_from_url, parse_key_name

    bucket, key = str(call.input.get("Bucket", "")), str(call.input.get("Key", ""))
    path = unquote(call.for_moto.raw_path)
    if not bucket or bucket.startswith("arn:"):
        raise NoResource(call.name)
    if bucket != bucket_name_from_url(call.for_moto.raw_url) or key != parse_key_name(path):
        raise Ambiguous("The path of the request can be read in two ways.")
    return bucket, key


def _on_object(call: Call, bucket: str, key: str) -> list[Permission]:
    given = call.input
    found = [_permission(action, bucket, key, bool(given.get("VersionId"))) for action in _ON_OBJECT[call.name]]
    if "CopySource" in given:
        source, version = _source(str(given["CopySource"]))
        found.append(_permission("GetObject", *source, bool(version)))
    if _GRANTS & given.keys() and call.name != "PutObjectAcl":
        found.append(_permission("PutObjectAcl", bucket, key))
    if given.get("Tagging") and call.name != "PutObjectTagging":
        found.append(_permission("PutObjectTagging", bucket, key))
    if given.get("ObjectLockMode") or given.get("ObjectLockRetainUntilDate"):
        found.append(_permission("PutObjectRetention", bucket, key))
    if given.get("ObjectLockLegalHoldStatus"):
        found.append(_permission("PutObjectLegalHold", bucket, key))
    return found + _bypassing(call, bucket, key)


def _deleted(call: Call, bucket: str) -> list[Permission]:
    """Return a permission for each object: its key and version are in the body."""
    listed = (call.input.get("Delete") or {}).get("Objects") or []
    named = [(str(each.get("Key") or ""), each.get("VersionId")) for each in listed if isinstance(each, dict)]
    if not named or len(_KEYS.findall(call.request.body)) != len(named) or not all(key for key, _ in named):
        raise Ambiguous("The list of objects to delete can be read in two ways.")
    return [
        each
        for key, version in named
        for each in (_permission("DeleteObject", bucket, key, bool(version)), *_bypassing(call, bucket, key))
    ]


def _bypassing(call: Call, bucket: str, key: str) -> list[Permission]:
    bypasses = str(call.input.get("BypassGovernanceRetention", "")).lower() == "true"
    return [_permission("BypassGovernanceRetention", bucket, key)] if bypasses else []


def _permission(action: str, bucket: str, key: str, version: bool = False) -> Permission:
    if version and (known := _WITH_VERSIONS.fullmatch(action)) is not None:
        action = f"{known[1]}ObjectVersion{known[2]}"
    return Permission(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")


def _source(text: str) -> tuple[tuple[str, str], str]:
    """Return bucket, key and version of an object that is copied, as moto reads them."""
    parsed = urlparse(text)
    bucket, _, key = unquote(parsed.path).lstrip("/").partition("/")
    if parsed.scheme or parsed.netloc or not bucket:
        raise NoResource(text)
    return (bucket, key), parse_qs(parsed.query).get("versionId", [""])[0]
