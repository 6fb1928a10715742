"""Requests of EC2 as botocore serializes them, with what was meant.

Says {"operation", "form", "meant"} for each case and ends with null.
"""

import datetime
import sys
import urllib.parse

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.serialize import create_serializer

from conversation import MODEL, randomness, say, text

SERVICE = ServiceModel(Loader().load_service_model("ec2", "service-2"))
SERIALIZER = create_serializer("ec2", include_validation=False)


def value(rng, kind, empty):
    """A random value of a type: as botocore takes it, and as the Rust type shows it."""
    if isinstance(kind, str):
        return scalar(rng, kind, empty)
    if "structure" in kind:
        return structure(rng, kind["structure"])
    items = [there(rng, kind["list"]) for _ in range(rng.choice([1, 2, 3, 12]))]
    return [sent for sent, _ in items], [meant for _, meant in items]


def there(rng, kind):
    """A random item; a structure without members cannot be sent."""
    while True:
        sent, meant = value(rng, kind, False)
        if sent != {}:
            return sent, meant


def scalar(rng, kind, empty):
    if kind == "boolean":
        sent = rng.random() < 0.5
    elif kind in ("integer", "long"):
        sent = rng.randint(-(2**31), 2**31 - 1)
    elif kind == "blob":
        sent = rng.randbytes(rng.randint(1, 40))
        return sent, list(sent)
    elif kind in ("float", "double"):
        sent = rng.randint(-(2**20), 2**20) / 8
    elif kind == "timestamp":
        seconds = rng.randint(0, 2**32)
        # Microseconds, as Timestamp counts.
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc), seconds * 1_000_000
    else:
        assert kind == "string", kind
        sent = text(rng, 0 if empty else 1)
    return sent, sent


def structure(rng, name):
    sent, meant = {}, {}
    for member, about in MODEL["requests"][name]["members"].items():
        if about.get("required") or rng.random() < 0.6:
            required = about.get("required") and "structure" in about["type"]
            chosen, shown = there(rng, about["type"]) if required else value(rng, about["type"], about.get("keepEmpty", False))
            if chosen != {}:
                sent[member], meant[member] = chosen, shown
    return sent, meant


def main():
    rng = randomness()
    for operation, about in MODEL["operations"].items():
        for _ in range(int(sys.argv[2])):
            sent, meant = structure(rng, about["request"])
            body = SERIALIZER.serialize_to_request(sent, SERVICE.operation_model(operation))["body"]
            say({"operation": operation, "form": urllib.parse.urlencode(body), "meant": meant})
    say(None)


main()
