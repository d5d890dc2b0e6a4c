"""The embedded AWS under whatever can be sent: an answer of AWS's, or a closed connection, and no failure."""

from __future__ import annotations

import http.client
import json
import socket
import time
from decimal import Decimal
from itertools import pairwise
from urllib.parse import quote, urlsplit

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from hypothesis import assume, example, given
from hypothesis import strategies as st

from helpers.local_aws.account.credentials import Credentials, CredentialStore
from helpers.local_aws.http import http1, signing
from tests.support.campaign import ANY_JSON, ANY_TEXT, LONG, NUMBERS, STORABLE, TEXT, examples, nested

# The HTTP parser


def read(data, *cuts):
    """The requests in `data`, which arrives in pieces, and whether all of it was used."""
    reader, requests = http1.RequestReader(), []
    for begin, end in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        reader.feed(data[begin:end])
        while (request := reader.next()) is not None:
            requests.append(request)
    return requests, reader.empty


FRAGMENTS = st.sampled_from(
    [b"GET ", b"POST ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b":", b" ", b"\x00", b"\xff", b"Host: x", b"0\r\n\r\n"]
    + [b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"5\r\nhello\r\n", b"-5"]
    + [b"9" * 5000, b"1" * 17, b"f" * 5000, b"5", b"0x5", b"1_0", b"A" * 70_000, b"X: y\r\n" * 300, b"http://evil/"]
)
BYTES = st.binary(max_size=200) | st.lists(FRAGMENTS | st.binary(max_size=5), max_size=12).map(b"".join)


@examples(600)
@given(BYTES)
@example(b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n")
@example(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n")
def test_any_bytes_are_a_request_or_a_bad_one(data):
    try:
        requests, _ = read(data)
    except http1.BadRequest as refusal:
        assert 400 <= refusal.status < 500
        return
    for request in requests:
        assert request.target.startswith("/")
        assert len(request.body) <= len(data)
        assert all(name == name.strip().lower() and "\n" not in value for name, value in request.headers.items())


CUTS = st.lists(st.integers(0, 10**6), max_size=8)


@examples(300)
@given(BYTES, CUTS)
def test_it_does_not_matter_in_which_pieces_bytes_arrive(data, cuts):
    def outcome(*cuts):
        try:
            return read(data, *cuts)
        except http1.BadRequest:
            return "refused"

    assert outcome(*cuts) == outcome()


@examples(300)
@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=5), CUTS)
def test_a_body_arrives_whole_however_it_is_sent(body, sizes, cuts):
    head = b"POST /path?x=1 HTTP/1.1\r\nHost: here\r\n"
    chunks, rest = [], body
    for size in [*sizes, 10**6]:
        if rest:
            chunks.append(b"%x;a=b\r\n%s\r\n" % (len(rest[:size]), rest[:size]))
        rest = rest[size:]
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + b"0\r\nTrailer: x\r\n\r\n"
    plain = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    for data in (chunked, plain, chunked + plain, plain + chunked):
        requests, all_used = read(data, *cuts)
        assert {request.body for request in requests} == {body}
        assert len(requests) == data.count(b"POST /path?x=1 HTTP") and all_used
        assert not read(data[:-1])[1]


@examples(300)
@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 50), max_size=5), CUTS)
def test_a_body_that_is_dropped_leaves_the_next_request_as_it_is(body, sizes, cuts):
    """Whoever reads on finds the same requests, however they were cut; next to nothing is kept of what is dropped."""
    head = b"POST /dropped HTTP/1.1\r\nHost: here\r\n"
    chunks = [body[begin:end] for begin, end in pairwise(sorted({0, *sizes, len(body)})) if body[begin:end]]
    in_chunks = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    first = head + b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks + b"0\r\n\r\n"
    second = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    reader, requests = http1.RequestReader(), []
    data = first + second + b"GET /last HTTP/1.1\r\n\r\n"
    for begin, end in pairwise([0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]):
        reader.feed(data[begin:end])
        while (request := reader.next()) is not None or (reader.head is not None and not reader._dropping):
            if request is None:
                assert reader.head.path == "/dropped" and reader.head.body == b""
                reader.drop_body()
            else:
                requests.append(request)
        assert reader.head is None or reader.size < 16
    assert [request.path for request in requests] == ["/dropped", "/dropped", "/last"] and reader.empty
    assert {request.body for request in requests} <= {b"", body}


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n", b"\n\r\n"])
def test_a_line_ends_in_one_way(end):
    with pytest.raises(http1.BadRequest):
        read(b"POST / HTTP/1.1" + end + b"Host: here" + end + b"X: y" + end + b"\r\n\r\n")


def test_a_client_that_asks_is_told_once_to_go_on():
    reader = http1.RequestReader()
    reader.feed(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert reader.next() is None and reader.wants_continue() and not reader.wants_continue()
    reader.feed(b"x")
    assert reader.next().body == b"x" and not reader.wants_continue()


def test_a_header_of_an_answer_stays_one_header():
    sent = http1.response(200, {"X-Name": "a\r\nSet-Cookie: b\r\n\r\nbody"})
    assert sent.count(b"\r\n") == 4


@examples(60)
@given(BYTES)
def test_the_server_answers_any_bytes_or_hangs_up(aws, data):
    address = urlsplit(aws.account.endpoint_url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass  # it hung up in the middle of what it did not want
    assert not received or received.startswith(b"HTTP/1.1 ")
    assert b"HTTP/1.1 5" not in received and b"HTTP/1.1 2" not in received


# Signatures

ADMINISTRATOR = Credentials("LKIA" + "A" * 16, "s" * 40)
STORE = CredentialStore(ADMINISTRATOR)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
SERVICES = st.sampled_from(["dynamodb", "lambda", "s3", "iam"])


def signed(service: str, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str], body: bytes):
    """A request as an SDK signs it, then as the server has read it."""
    address = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    url = f"http://127.0.0.1:1{path}" + (f"?{address}" if address else "")
    request = AWSRequest(method, url, headers=headers, data=body)
    SigV4Auth(Keys(ADMINISTRATOR.access_key_id, ADMINISTRATOR.secret_access_key), service, "us-east-1").add_auth(
        request
    )
    sent = {name.lower(): value.strip() for name, value in request.headers.items()}
    return http1.Request(method, url.removeprefix("http://127.0.0.1:1"), {"host": "127.0.0.1:1", **sent}, body)


def path_of(parts: list[str]) -> str:
    return "/" + "/".join(quote(part, safe="-_.~") for part in parts)


PARTS = st.lists(TEXT.filter(lambda part: part not in ("", ".", "..")), max_size=3)
QUERIES = st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=3, unique_by=lambda pair: pair[0])


@examples(150)
@given(SERVICES, st.sampled_from(["GET", "POST", "DELETE"]), PARTS, QUERIES, HEADER, st.binary(max_size=50), st.data())
def test_what_an_sdk_signs_is_accepted_and_nothing_else(service, method, parts, query, value, body, data):
    assume(service != "s3")  # botocore signs S3's requests by a class of its own
    sent = signed(service, method, path_of(parts), query, {"X-Amz-Target": value, "Content-Type": "a"}, body)
    assert service in signing.authenticate(sent, STORE).service.names
    altered = data.draw(
        st.sampled_from(
            [
                http1.Request("PUT", sent.target, sent.headers, sent.body),
                http1.Request(method, sent.target + ("&" if query else "?") + "added=1", sent.headers, sent.body),
                http1.Request(method, "/added" + sent.target, sent.headers, sent.body),
                http1.Request(method, sent.target, sent.headers, sent.body + b"."),
                http1.Request(method, sent.target, {**sent.headers, "x-amz-target": value + "."}, sent.body),
                http1.Request(method, sent.target, {**sent.headers, "x-amz-added": "1"}, sent.body),
                http1.Request(method, sent.target, {**sent.headers, "host": "evil.example"}, sent.body),
                http1.Request(method, sent.target, {**sent.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b"."),
                http1.Request(method, sent.target, {**sent.headers, "x-amz-security-token": "token"}, sent.body),
            ]
        )
    )
    with pytest.raises(signing.NotAuthenticated):
        signing.authenticate(altered, STORE)


GENERAL = "AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/dynamodb/aws4_request, SignedHeaders={}, Signature={}"
AUTHORIZATIONS = HEADER | st.builds(
    GENERAL.format,
    st.sampled_from([ADMINISTRATOR.access_key_id, "AKIA", "é"]) | HEADER,
    st.sampled_from([time.strftime("%Y%m%d", time.gmtime()), "00000000", "99999999"]),
    st.sampled_from(["host", "host;x-amz-date", "", ";", "host;" * 1000]),
    st.sampled_from(["0" * 64, "f" * 64, "", "0" * 63]),
)


@examples(300)
@given(
    AUTHORIZATIONS,
    st.sampled_from([time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()), "", "00000000T000000Z", "99991231T235959Z"])
    | HEADER,
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.binary(max_size=20),
)
def test_any_other_authorization_is_refused(authorization, date, target, body):
    headers = {"host": "127.0.0.1:1", "authorization": authorization, "x-amz-date": date}
    with pytest.raises(signing.NotAuthenticated) as refusal:
        signing.authenticate(http1.Request("POST", "/" + target, headers, body), STORE)
    assert refusal.value.code and str(refusal.value)


# PutEvents over HTTP


def call(aws, target: str, body: bytes, service: str = "events") -> tuple[int, dict]:
    """A signed request with any body; the status and the parsed answer."""
    request = AWSRequest("POST", aws.account.endpoint_url + "/", data=body)
    request.headers["X-Amz-Target"] = target
    request.headers["Content-Type"] = "application/x-amz-json-1.1"
    keys = Keys(aws.account.access_key_id, aws.account.secret_access_key)
    SigV4Auth(keys, service, "us-east-1").add_auth(request)
    address = urlsplit(aws.account.endpoint_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request("POST", "/", body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


GOOD = st.fixed_dictionaries(
    {"Source": TEXT.filter(lambda t: t and not t.startswith("aws.")), "DetailType": TEXT.filter(bool)},
    optional={"Resources": st.lists(TEXT, max_size=2), "Time": st.integers(0, 2**31), "TraceHeader": TEXT},
).flatmap(lambda e: st.dictionaries(TEXT, ANY_TEXT | st.integers()).map(lambda d: {**e, "Detail": json.dumps(d)}))
BAD = st.sampled_from(
    [
        {"Source": "aws.s3", "DetailType": "t", "Detail": "{}"},
        {"Source": "", "DetailType": "t", "Detail": "{}"},
        {"Source": "s", "Detail": "{}"},
        {"Source": "s", "DetailType": "t", "Detail": "[]"},
        {"Source": "s", "DetailType": "t", "Detail": '{"a": NaN}'},
        {"Source": "s", "DetailType": "t", "Detail": '{"a":' * 1001 + "1" + "}" * 1001},
        {},
    ]
)


@examples(60)
@given(st.lists(GOOD.map(lambda e: (e, True)) | BAD.map(lambda e: (e, False)), min_size=1, max_size=10))
@example([({"Source": "s", "DetailType": "t", "Detail": '{"a": "&Entries=5&Action=DeleteRule&Name=x&"}'}, True)])
@example([({"Source": "s", "DetailType": "t", "Detail": '{"n": ' + "1" * 5000 + "}"}, True)])
@example([({"Source": "s", "DetailType": "t", "Detail": '{"n": 1e999999999999999999999}'}, True)])
@example([({"Source": "s", "DetailType": "t", "Detail": '{"a": 1, "a": 2}'}, True)])
def test_each_entry_has_its_answer_in_its_place(aws, entries):
    status, answer = call(aws, "AWSEvents.PutEvents", json.dumps({"Entries": [entry for entry, _ in entries]}).encode())
    assert status == 200
    assert ["EventId" in each for each in answer["Entries"]] == [good for _, good in entries]
    assert all(each["ErrorCode"] and each["ErrorMessage"] for each in answer["Entries"] if "EventId" not in each)
    assert answer["FailedEntryCount"] == sum(not good for _, good in entries)


MEMBERS = st.sampled_from(["Source", "DetailType", "Detail", "EventBusName", "Time", "Resources", "TraceHeader", "x"])
ENTRIES = st.dictionaries(MEMBERS, ANY_JSON | LONG | NUMBERS | st.sampled_from(["{}", "s", "default", "arn:aws:"]))
REQUESTS = st.one_of(
    st.fixed_dictionaries({"Entries": st.lists(ENTRIES | ANY_JSON, max_size=12)}).map(json.dumps).map(str.encode),
    ANY_JSON.map(json.dumps).map(str.encode),
    st.fixed_dictionaries({"Entries": ANY_JSON}).map(json.dumps).map(str.encode),
    st.binary(max_size=30),
    LONG.map(str.encode),
)
OPERATIONS = st.sampled_from(["AWSEvents.PutEvents"] * 4 + ["AWSEvents.TestEventPattern", "AWSEvents.PutRule"])


@examples(150)
@given(OPERATIONS, REQUESTS)
@example("AWSEvents.PutEvents", b'{"Entries": [' + b",".join([b'{"Time": 1e300}'] * 11) + b"]}")
@example("AWSEvents.PutEvents", b'{"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}", "Time": NaN}]}')
@example("AWSEvents.PutEvents", b'{"Entries": ' + b"1" * 5000 + b"}")
@example("AWSEvents.PutEvents", b"[" * 200_000)
def test_no_body_makes_the_bus_fail(aws, operation, body):
    status, answer = call(aws, operation, body)
    assert status in (200, 400, 404, 413), answer
    if status != 200:
        assert answer["__type"]


# DynamoDB

BINARY = st.binary(max_size=20).map(Binary)
NAMES = TEXT.filter(lambda name: name not in ("", "id"))
VALUES = nested(st.none() | st.booleans() | TEXT | STORABLE | BINARY, NAMES) | st.one_of(
    st.sets(TEXT, min_size=1, max_size=4),
    st.sets(STORABLE, min_size=1, max_size=4),
    st.sets(st.binary(min_size=1, max_size=5).map(Binary), min_size=1, max_size=4),
)


@pytest.fixture(scope="module")
def table(aws):
    name = aws.table(keys={"id": "S"})
    yield name
    aws.client("dynamodb").delete_table(TableName=name)


@examples(100)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
@example({"n": Decimal("99999999999999999999999999999999999999"), "m": Decimal("-1E-130"), "z": Decimal("-0")})
@example({"n": {Decimal("1"), Decimal("1.5"), Decimal("9.9999999999999999999999999999999999999E+125")}})
@example({"text": "x" * 300_000})
def test_what_is_put_is_what_one_gets(aws, table, values):
    item = {"id": "one", **values}
    dynamodb, serialize, parse = aws.client("dynamodb"), TypeSerializer().serialize, TypeDeserializer().deserialize
    dynamodb.put_item(TableName=table, Item={name: serialize(value) for name, value in item.items()})
    found = dynamodb.get_item(TableName=table, Key={"id": {"S": "one"}}, ConsistentRead=True)["Item"]
    assert {name: parse(value) for name, value in found.items()} == item
