"""Every place of moto's that is changed, in the order in which it is done.

`python -m helpers.local_aws seams` prints this table beside what the installed moto has.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from importlib.metadata import version

from ..cloudwatch import metric_alarms, metric_requests
from ..dynamodb import api as dynamodb_api
from ..dynamodb import backend, items, stream, stream_backend, table, transfers, typed_comparisons
from ..events.event_bus import EventBusBackend
from ..events.event_requests import Requests
from ..events.rules import Rule, RulePattern
from ..http import moto_requests
from ..iam import backend as iam_backend
from ..iam import policy_documents, security_tokens
from ..logs.backend import Logs, Stream, event_filter
from ..mappings.service import LambdaWithMappings
from ..recovery import touched
from ..s3 import operations
from ..sqs import trace
from ..sqs.backend import Backend as Queues
from ..sqs.messages import Message
from ..sqs.queues import Queue
from . import botocore_data, models
from .seam import Seam, Why, apply, differences, instead, seam, swap

#: EventBridge, and the services that it hands events and log lines to.
_EVENTS: tuple[Seam, ...] = (
    swap("moto.events.models:events_backends.backend", "bf568e34e5d2", Why.MISSING, EventBusBackend),
    swap("moto.events.models:EventPattern", "5b25a4fd9a25", Why.WRONG, RulePattern),
    swap("moto.events.models:Rule", "f8e477044215", Why.MISSING, Rule),
    swap("moto.events.responses:EventsHandler", "88c5040ee445", Why.WRONG, Requests),
    swap("moto.sqs.models:sqs_backends.backend", "62fce46ca16e", Why.WRONG, Queues),
    seam("moto.sqs.responses:SQSResponse.send_message", "f486fa48de9f", Why.MISSING, trace.noting),
    seam("moto.sqs.responses:SQSResponse.send_message_batch", "c68cdac5e2af", Why.MISSING, trace.noting),
    swap("moto.sqs.models:Message", "72567deb6b48", Why.WRONG, Message),
    swap("moto.sqs.models:Queue", "071111a54d5b", Why.SLOW, Queue),
    swap("moto.logs.models:logs_backends.backend", "288eab0814f9", Why.JOURNAL, Logs),
    swap("moto.logs.models:LogStream", "0e6ddfd459fc", Why.JOURNAL, Stream),
    instead("moto.logs.models:EventMessageFilter", "81f8435c8b05", Why.MISSING, event_filter),
)

_BOTOCORE: tuple[Seam, ...] = (
    instead("moto.core.utils:_load_service_model", "f3e61be0fc70", Why.SLOW, botocore_data.service_model),
    instead(
        "moto.core.base_backend:AccountSpecificBackend._generate_regions",
        "6f339e32d8fa",
        Why.SLOW,
        botocore_data.regions,
    ),
)

_RECOVERY: tuple[Seam, ...] = (
    seam("moto.core.base_backend:AccountSpecificBackend.__getitem__", "b10167294fc0", Why.JOURNAL, touched.noting),
)

_CLOUDWATCH: tuple[Seam, ...] = (
    swap("moto.cloudwatch.models:cloudwatch_backends.backend", "9d934628c33d", Why.WRONG, metric_alarms.Backend),
    swap("moto.cloudwatch.responses:CloudWatchResponse", "f105f3a095f8", Why.WRONG, metric_requests.Response),
)
_IAM: tuple[Seam, ...] = (
    swap("moto.iam.models:iam_backends.backend", "3e2dd4b1e7a5", Why.WRONG, iam_backend.Backend),
    swap("moto.iam.models:IAMPolicyDocumentValidator", "9a0945302f9d", Why.MISSING, policy_documents.PolicyValidator),
    swap(
        "moto.iam.models:IAMTrustPolicyDocumentValidator",
        "fa52ac57f0f7",
        Why.MISSING,
        policy_documents.TrustPolicyValidator,
    ),
    seam(
        "moto.iam.policy_validation:IAMTrustPolicyDocumentValidator._validate_trust_policy_action",
        "1f2f85326441",
        Why.WRONG,
        policy_documents.with_wildcards,
    ),
    swap("moto.sts.models:sts_backends.backend", "6c11a2cec52e", Why.WRONG, security_tokens.Backend),
    swap("moto.sts.responses:TokenResponse", "51bb6bbbd503", Why.WRONG, security_tokens.Response),
)

_LAMBDA: tuple[Seam, ...] = (
    swap("moto.awslambda.models:lambda_backends.backend", "b008ba304a52", Why.MISSING, LambdaWithMappings),
)

_RESPONSES = "moto.core.responses"

_HTTP: tuple[Seam, ...] = (
    seam(f"{_RESPONSES}:BaseResponse.setup_class", "0045fc77574a", Why.WRONG, moto_requests.set_up),
    seam(f"{_RESPONSES}:BaseResponse._get_action", "6430b292c432", Why.WRONG, moto_requests.operation_name),
    instead(f"{_RESPONSES}:BaseResponse.get_current_account", "73816bc14741", Why.SLOW, moto_requests.own_account),
    # The same few answers, worked out on each request.
    seam(f"{_RESPONSES}:method_names_from_class", "9dbac89d082b", Why.SLOW, functools.cache),
    seam(f"{_RESPONSES}:camelcase_to_underscores", "084cdc5bab92", Why.SLOW, functools.cache),
    instead(f"{_RESPONSES}:gen_amzn_requestid_long", "e651941c2107", Why.SLOW, moto_requests.request_id),
)

_STREAMS = "moto.dynamodbstreams.models"
_COMPARISONS = "moto.dynamodb.comparisons"
_DYNAMODB: tuple[Seam, ...] = (
    swap("moto.dynamodb.models:dynamodb_backends.backend", "c8882d4847e0", Why.WRONG, backend.Backend),
    swap("moto.dynamodb.models:Table", "96d5f100cc32", Why.JOURNAL, table.Table),
    swap("moto.dynamodb.models:RestoredTable", "6ea070b66b77", Why.JOURNAL, table.RestoredTable),
    swap("moto.dynamodb.models:RestoredPITTable", "031178e09a50", Why.JOURNAL, table.RestoredPITTable),
    swap("moto.dynamodb.models.table:StreamShard", "2a15fffc8af4", Why.JOURNAL, stream.Shard),
    swap(f"{_STREAMS}:dynamodbstreams_backends.backend", "c8592f2fbcde", Why.JOURNAL, stream_backend.Backend),
    swap("moto.dynamodb.responses:DynamoHandler", "2fe505cd7c21", Why.SLOW, dynamodb_api.Handler),
    instead("moto.dynamodb.models:TableExport", "3b9155c254ed", Why.JOURNAL, transfers.Export),
    instead("moto.dynamodb.models:TableImport", "bef547447c4e", Why.JOURNAL, transfers.Import),
    seam("moto.dynamodb.responses:validate_put_has_empty_keys", "e45d7ced3923", Why.MISSING, items.checked),
    instead("moto.dynamodb.models.dynamo_type:Item.__init__", "d9c12b62cb92", Why.SLOW, items.make_item),
    seam(f"{_COMPARISONS}:OpLessThan.expr", "2fffc621dcad", Why.WRONG, typed_comparisons.ordering),
    seam(f"{_COMPARISONS}:OpLessThanOrEqual.expr", "0f48b81ff7c0", Why.WRONG, typed_comparisons.ordering),
    seam(f"{_COMPARISONS}:OpGreaterThan.expr", "d468257ea759", Why.WRONG, typed_comparisons.ordering),
    seam(f"{_COMPARISONS}:OpGreaterThanOrEqual.expr", "6545d9825a07", Why.WRONG, typed_comparisons.ordering),
    seam(f"{_COMPARISONS}:OpEqual.expr", "055f341a693c", Why.WRONG, typed_comparisons.equal),
    seam(f"{_COMPARISONS}:OpNotEqual.expr", "963c3982d87d", Why.WRONG, typed_comparisons.unequal),
    seam(f"{_COMPARISONS}:FuncBetween.expr", "cf2f51bcefa9", Why.WRONG, typed_comparisons.between),
)

_S3: tuple[Seam, ...] = (
    seam("moto.s3.responses:S3Response._set_action", "51dddb5c8bbf", Why.WRONG, operations.refuse_unknown),
)

_MODELS: tuple[Seam, ...] = (
    instead("moto.core.common_models:BaseModel.__new__", "08cf0ef20e88", Why.WRONG, models.untracked),
    seam("moto.core.utils:utcnow.__code__", "7b8bb404c4f6", Why.WRONG, models.account_time),
)

SEAMS: tuple[Seam, ...] = (
    *_MODELS,
    *_BOTOCORE,
    *_RECOVERY,
    *_HTTP,
    *_LAMBDA,
    *_EVENTS,
    *_DYNAMODB,
    *_CLOUDWATCH,
    *_IAM,
    *_S3,
)


def install() -> None:
    """Change moto. Once for each process; raises RuntimeError the second time."""
    apply(SEAMS)


def report(seams: Iterable[Seam] = SEAMS) -> tuple[str, bool]:
    """Return the table as text, and whether the installed moto is the one that the seams were written for."""
    changed = {each.place for each in differences(seams)}
    lines = [
        f"{'CHANGED' if each.place in changed else 'same':8} {each.why.value:8} {each.digest}  {each.place}"
        for each in seams
    ]
    known = f"moto {version('moto')}: {len(lines)} seams, {len(changed)} of them changed since they were written."
    return "\n".join([*lines, known]), not changed
