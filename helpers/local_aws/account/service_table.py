"""What the account knows of each service beyond botocore's model of it: the one table, from which the rest follows.

A service that is not in the table is known by its name in signatures. That is botocore's and moto's then, too, or it is
spoken to in JSON, which says itself what is asked for.
"""

from __future__ import annotations

import enum
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from moto.core.model import ServiceModel

from ..engine import executor
from . import service_models


class Effect(enum.Enum):
    """What a call may change: nothing, rows that are journalled where they change, or small state."""

    NOTHING = 0
    ROWS = 1
    STATE = 2


class Kept(enum.Enum):
    """What is saved when a service's small state has changed: its own, or our stacks."""

    OWN = 0
    STACKS = 1


_READING = re.compile(
    "Get|List|Describe|Scan|Query|BatchGet|TransactGet|Head|Test|Filter|Search|Lookup|Select|Simulate|Validate|Check|"
    "Estimate|Detect"
)
#: Protocols whose answers are XML.
XML = frozenset({"query", "ec2", "rest-xml"})
_locks: dict[str, executor.Lock] = {}  # by the service's endpoint


@dataclass(frozen=True)
class Service:
    """One service. Operations are named as in botocore's models.

    endpoint: its name in addresses ("monitoring"); models: botocore's and moto's names of it and its parts, the first
    of which says how it is spoken to; signed_as: its names in signatures, beside that in addresses; iam: what stands
    before the colon of its actions, where that is not the endpoint's name; one_endpoint: whether moto has the same
    address for all regions; any_body: whether a body may be anything, as a file that is uploaded, and so is looked at
    by nobody before; waits: whether its calls may wait for others, and look after their own locks; rows: operations
    that change nothing but what has rows of its own (or is not kept, as moto's list of what a topic has sent);
    changing: operations that change state although their names say that they read; free: operations that everybody may
    use; refused: operations of moto's that nobody may use: what they make could not be kept as it is, or they fail.
    """

    endpoint: str
    models: tuple[str, ...]
    signed_as: tuple[str, ...] = ()
    iam: str = ""
    one_endpoint: bool = False
    any_body: bool = False
    waits: bool = False
    kept: Kept = Kept.OWN
    rows: frozenset[str] = frozenset()
    changing: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Fill in what is the endpoint's name where nothing else is said."""
        object.__setattr__(self, "iam", self.iam or self.endpoint)
        object.__setattr__(self, "names", frozenset((self.endpoint, *self.signed_as)))

    @cached_property
    def described(self) -> tuple[ServiceModel, ...]:
        """botocore's models of it; none for a service that botocore does not know."""
        return tuple(model for model in map(service_models.find, self.models) if model is not None)

    @cached_property
    def model(self) -> ServiceModel | None:
        """botocore's model of it, or of the part that says how it is spoken to; None when botocore has none."""
        return next(iter(self.described), None)

    @cached_property
    def by_target(self) -> dict[str, ServiceModel]:
        """botocore's models by what stands before the operation in X-Amz-Target."""
        return {
            model.metadata["targetPrefix"]: model
            for model in reversed(self.described)
            if "targetPrefix" in model.metadata
        }

    @cached_property
    def protocol(self) -> str:
        """The protocol in which it is answered, by botocore's name, such as "rest-json"; "json" when it is unknown."""
        return str(self.model.metadata["protocol"]) if self.model is not None else "json"

    @cached_property
    def is_rest(self) -> bool:
        """Whether method and address name the operation."""
        return self.protocol.startswith("rest")

    @cached_property
    def takes_action(self) -> bool:
        """Whether a parameter may name the operation; of a service that nobody knows, it may."""
        spoken = [model.metadata.get("protocols") or [model.metadata["protocol"]] for model in self.described]
        return not spoken or any({"query", "ec2"} & set(protocols) for protocols in spoken)

    @cached_property
    def answers_xml(self) -> bool:
        return self.protocol in XML

    @cached_property
    def lock(self) -> AbstractContextManager[Any]:
        """What is held while its model is touched: plain dictionaries of moto's, shared by a server's threads.

        Without it a Scan fails when an order arrives in the middle of it ("dictionary changed size during iteration").
        It costs no throughput: the calls of one process share the GIL anyway.
        """
        return nullcontext() if self.waits else _locks.setdefault(self.endpoint, executor.Lock())

    def effect(self, operation: str, method: str) -> Effect:
        """Return what a call may change. method: HTTP's, which counts where it is part of the operation's name."""
        if operation in self.rows:
            return Effect.ROWS
        if operation in self.changing:
            return Effect.STATE
        if self.is_rest:
            return Effect.NOTHING if method in ("GET", "HEAD") else Effect.STATE
        return Effect.NOTHING if _READING.match(operation) else Effect.STATE


def _operations(text: str) -> frozenset[str]:
    return frozenset(text.split())


SERVICES = (
    Service(
        "dynamodb",
        ("dynamodb", "dynamodbstreams"),
        rows=_operations(
            "PutItem UpdateItem DeleteItem BatchWriteItem TransactWriteItems ExecuteStatement BatchExecuteStatement "
            "ExecuteTransaction"
        ),
    ),
    Service(
        "sqs",
        ("sqs",),
        waits=True,  # ReceiveMessage for a message
        rows=_operations(
            "SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch ChangeMessageVisibility "
            "ChangeMessageVisibilityBatch PurgeQueue"
        ),
    ),
    Service(
        "events",
        ("events",),
        signed_as=("eventbridge",),
        rows=_operations("PutEvents"),
        refused=_operations("PutPartnerEvents"),
    ),
    Service(
        "lambda",
        ("lambda",),
        waits=True,  # Invoke for a function
        rows=_operations("Invoke InvokeAsync InvokeWithResponseStream"),
        # Nobody would serve the address, or keep environments warm.
        refused=_operations("CreateFunctionUrlConfig UpdateFunctionUrlConfig PutProvisionedConcurrencyConfig"),
    ),
    Service("logs", ("logs",), rows=_operations("PutLogEvents StartQuery")),
    Service("monitoring", ("cloudwatch",), iam="cloudwatch", rows=_operations("PutMetricData")),
    Service("sns", ("sns",), rows=_operations("Publish PublishBatch")),
    Service("iam", ("iam",), one_endpoint=True),
    Service(
        "sts",
        ("sts",),
        changing=_operations("GetSessionToken GetFederationToken"),
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        free=_operations("GetCallerIdentity GetSessionToken AssumeRoleWithWebIdentity AssumeRoleWithSAML"),
    ),
    Service(
        "s3",
        ("s3",),
        signed_as=("s3express",),
        any_body=True,
        refused=_operations("CreateBucketMetadataConfiguration CreateBucketMetadataTableConfiguration"),
    ),
    Service("cloudformation", ("cloudformation",), kept=Kept.STACKS),
    Service("states", ("stepfunctions",)),
    Service("tagging", ("resourcegroupstaggingapi",), iam="tag"),
    Service("email", ("ses", "sesv2"), signed_as=("ses",), iam="ses"),
    Service("elasticloadbalancing", ("elb", "elbv2")),
    Service("apigateway", ("apigateway", "apigatewayv2")),
    # Nothing would start a schedule, or move anything through a pipe.
    Service("scheduler", ("scheduler",), refused=_operations("CreateSchedule UpdateSchedule")),
    Service("pipes", ("pipes",), refused=_operations("CreatePipe UpdatePipe StartPipe")),
    Service("batch", ("batch",), refused=_operations("SubmitJob")),  # runs in Docker, in a thread
    Service("kms", ("kms",), refused=_operations("ReplicateKey")),  # two regions have the same lists in their hands
    # What they describe is one step further each time; a test of a connection is kept, too.
    Service("medialive", ("medialive",), changing=_operations("DescribeChannel DescribeInput")),
    Service("mediastore", ("mediastore",), changing=_operations("DescribeContainer ListContainers")),
    Service("support", ("support",), changing=_operations("DescribeCases")),
    Service(
        "dms",
        ("dms",),
        changing=_operations(
            "TestConnection DescribeConnections DescribeReplicationInstances DescribeReplicationTasks"
        ),
    ),
    # Known by their paths, and signed for by another name than botocore's.
    Service("aps", ("amp",)),
    Service("connect-campaigns", ("connectcampaigns",)),
    Service("elasticfilesystem", ("efs",)),
    Service("es", ("es", "opensearch")),
    Service("execute-api", ("apigatewaymanagementapi",)),
    Service("models-v2-lex", ("lexv2-models",), signed_as=("lex",), iam="lex"),
    Service("servicecatalog", ("servicecatalog", "servicecatalog-appregistry")),
    Service("budgets", ("budgets",), one_endpoint=True),
    Service("cloudfront", ("cloudfront",), one_endpoint=True),
)

_BY_NAME = {name: service for service in SERVICES for name in service.names}
_BY_MODEL = {model: service for service in SERVICES for model in service.models}


def named(name: str) -> Service:
    """Return a service by its name in a signature or an address, in any case of letters."""
    name = name.lower()
    return _BY_NAME.get(name) or _unlisted(name)


def of_model(model: str) -> Service:
    """Return a service by botocore's or moto's name of it, or of a part of it."""
    return _BY_MODEL.get(model) or _of_unlisted_model(model)


@lru_cache(maxsize=256)
def _of_unlisted_model(model: str) -> Service:
    described = service_models.find(model)
    return named(described.endpoint_prefix) if described is not None else _unlisted(model)


@lru_cache(maxsize=256)
def _unlisted(name: str) -> Service:
    return Service(name, (name,))


def service_lock(name: str) -> AbstractContextManager[Any]:
    """Return the lock of a service, by its name in addresses ("dynamodb")."""
    return named(name).lock
