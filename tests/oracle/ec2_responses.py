"""Random responses of EC2, written by the server under test and read by botocore's parser.

Says {"operation", "response"}, hears the document, and ends with {"checked", "wrong"}.
"""

import datetime
import sys

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from conversation import MODEL, hear, randomness, say, text

SERVICE = ServiceModel(Loader().load_service_model("ec2", "service-2"))
PARSER = create_parser("ec2")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def value(rng, kind):
    """A random value of a type: as the Rust type reads it, and as botocore is to give it."""
    if isinstance(kind, str):
        return scalar(rng, kind)
    if "structure" in kind:
        return structure(rng, kind["structure"])
    items = [value(rng, kind["list"]) for _ in range(rng.choice([0, 1, 2, 11]))]
    return [put for put, _ in items], [meant for _, meant in items]


def scalar(rng, kind):
    if kind == "timestamp":
        seconds = rng.randint(0, 4_000_000_000)
        return seconds * 1_000_000, EPOCH + datetime.timedelta(seconds=seconds)
    if kind == "boolean":
        put = rng.random() < 0.5
    elif kind in ("integer", "long"):
        bits = 31 if kind == "integer" else 63
        put = rng.randint(-(2**bits), 2**bits - 1)
    elif kind in ("float", "double"):
        # In binary as short as in decimal, so that every reader takes it for the same number.
        put = rng.randint(-(10**9), 10**9) / 64
    else:
        assert kind == "string", kind
        put = text(rng, 0)
    return put, put


def structure(rng, name):
    put, meant = {}, {}
    for member, about in MODEL["responses"][name]["members"].items():
        if rng.random() < 0.7:
            put[member], meant[member] = value(rng, about["type"])
    return put, meant


def without_empty_lists(value):
    if isinstance(value, dict):
        return {k: without_empty_lists(v) for k, v in value.items() if v != []}
    return [without_empty_lists(v) for v in value] if isinstance(value, list) else value


def main():
    rng, checked, wrong = randomness(), 0, []
    for operation, about in MODEL["operations"].items():
        if "response" not in about:
            continue
        shape = SERVICE.operation_model(operation).output_shape
        for _ in range(int(sys.argv[2])):
            put, meant = structure(rng, about["response"])
            say({"operation": operation, "response": put})
            document = hear()
            parsed = PARSER.parse({"body": document.encode(), "headers": {}, "status_code": 200}, shape)
            request_id = parsed.pop("ResponseMetadata")["RequestId"]
            if without_empty_lists(parsed) != without_empty_lists(meant) or request_id != "the-request":
                wrong.append({"operation": operation, "meant": repr(meant), "parsed": repr(parsed)})
            checked += 1
    say({"checked": checked, "wrong": wrong[:3]})


main()
