"""Find what operations need of services that know a resource by several names: moto is asked which one it is.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from ..account.arn import Arn
from ..account.credentials import ACCOUNT_ID
from ..http.call import Call
from .named_resources import NAMED
from .permissions import NoResource, Permission

#: Finds the ARNs of the stacks that exist by a name or ARN of a stack, and by the ARN of a change set.
Stacks = Callable[[str, str], list[str]]
_find_stacks: list[Stacks] = []

_KMS_ANYWHERE = frozenset({"CreateKey", "GenerateRandom", "ListAliases", "ListKeys"})
_SECRETS_ANYWHERE = frozenset({"GetRandomPassword", "ListSecrets"})
_PARAMETERS = re.compile(
    "PutParameter|(Get|Delete)Parameters?|GetParameterHistory|GetParametersByPath|(Unl|L)abelParameterVersion"
)


def set_stacks(find: Stacks) -> None:
    """Say who knows the stacks: what they are is not known down here."""
    _find_stacks[:] = [find]


def cloudformation(call: Call) -> list[Permission]:
    """Return what an operation of CloudFormation needs, on the stack; a change set may belong to another than is named.

    Of a stack that is not there yet the ARN is "stack/name/*", as AWS has it in its errors.
    """
    stack, change_set = ((call.names(name) or [""])[0] for name in ("StackName", "ChangeSetName"))
    change_set = change_set if change_set.startswith("arn:") else ""
    found = [arn for find in _find_stacks for arn in find(stack, change_set)] if stack or change_set else []
    if change_set and not stack and not found:
        found = [change_set]
    action = f"cloudformation:{call.name}"
    asked = NAMED["cloudformation"].needed(call) if stack or not change_set else []
    known = [Permission(action, arn) for arn in dict.fromkeys(found)]
    exists = any(_is_of(arn, stack) for arn in found)
    return known + [each for each in asked if not (exists and each.action == action)]


def _is_of(arn: str, stack: str) -> bool:
    return arn == stack or (bool(stack) and f":stack/{stack}/" in arn)


def kms(call: Call) -> list[Permission]:
    """Return what an operation of KMS's needs, on the key: an alias is only another name of one.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    action = f"kms:{call.name}"
    if call.name in _KMS_ANYWHERE:
        return [Permission(action, "*")]
    given = call.names("KeyId", "TargetKeyId")
    if call.name == "Decrypt":  # the text says which key it needs
        given = [_key_of(call.input.get("CiphertextBlob")), *given]
    aliases = call.names("AliasName")
    if call.name.startswith(("ReEncrypt", "RetireGrant")) or not (given or aliases):
        raise NoResource(call.name)
    of_alias = [_key_arn(call, alias) for alias in aliases if call.name in ("DeleteAlias", "UpdateAlias")]
    names = [each if each.startswith("arn:") else call.arn(each) for each in aliases]
    keys = [_key_arn(call, each) for each in given]
    return [Permission(action, arn) for arn in dict.fromkeys([*names, *keys, *of_alias])]


def _key_arn(call: Call, name: str) -> str:
    from moto.kms.models import kms_backends

    backend: Any = kms_backends[ACCOUNT_ID][call.region]
    try:
        return str(backend.describe_key(name).arn)
    except Exception:  # there is no such key
        return name if name.startswith("arn:") else call.arn(name if name.startswith("alias/") else f"key/{name}")


def _key_of(blob: Any) -> str:
    from moto.kms.utils import _deserialize_ciphertext_blob

    try:
        return str(_deserialize_ciphertext_blob(base64.b64decode(blob)).key_id)
    except Exception:
        raise NoResource("Decrypt") from None


def secretsmanager(call: Call) -> list[Permission]:
    """Return what an operation of Secrets Manager's needs: a secret may be named by its name, its ARN or a part of it.

    A secret that is made has no ARN yet, whose end AWS draws: "secret:name-??????" matches policies for "name-*".
    """
    action = f"secretsmanager:{call.name}"
    if call.name in _SECRETS_ANYWHERE:
        return [Permission(action, "*")]
    if call.name == "BatchGetSecretValue" and call.names("SecretIdList"):
        each = [Permission("secretsmanager:GetSecretValue", _secret(call, id_)) for id_ in call.names("SecretIdList")]
        return [Permission(action, "*"), *each]
    named = call.names("Name") if call.name == "CreateSecret" else call.names("SecretId")
    if not named:
        raise NoResource(call.name)
    return [Permission(action, _secret(call, named[0]))]


def _secret(call: Call, name: str) -> str:
    from moto.secretsmanager.models import secretsmanager_backends

    found: Any = secretsmanager_backends[ACCOUNT_ID][call.region].secrets.get(name)
    if found is not None:
        return str(found.arn)
    return name if name.startswith("arn:") else call.arn(f"secret:{name}-??????")


def ssm(call: Call) -> list[Permission]:
    """Return what an operation on Parameter Store's parameters needs; of the rest of Systems Manager nothing is known.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    """
    action = f"ssm:{call.name}"
    if call.name == "DescribeParameters":
        return [Permission(action, "*")]
    names = call.names("Name", "Names", "Path") if _PARAMETERS.fullmatch(call.name) else []
    if call.name in ("AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource"):
        names = call.names("ResourceId") if call.names("ResourceType") == ["Parameter"] else []
    if not names or any(name.startswith("/aws/") for name in names):  # which may be a secret's
        raise NoResource(call.name)
    return [Permission(action, _parameter(call, name)) for name in names]


def _parameter(call: Call, name: str) -> str:
    """Return a parameter's ARN; its version or label is no part of it."""
    arn = Arn.find(name) if name.startswith("arn:") else None
    name = name if arn is None else arn.resource.removeprefix("parameter")
    return call.arn(f"parameter/{name.partition(':')[0].strip('/')}")


def kinesis(call: Call) -> list[Permission]:
    """Return what an operation of Kinesis's needs; an iterator says of which stream it is, in moto's way."""
    if call.name != "GetRecords":
        return NAMED["kinesis"].needed(call)
    from moto.kinesis.utils import decompose_shard_iterator

    try:
        stream = decompose_shard_iterator(str(call.input.get("ShardIterator", "")))[0]
    except ValueError:
        raise NoResource("GetRecords") from None
    arns = dict.fromkeys([call.arn(f"stream/{stream}"), *call.names("StreamARN")])
    return [Permission("kinesis:GetRecords", arn) for arn in arns]
