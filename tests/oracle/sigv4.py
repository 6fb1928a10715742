"""Random requests signed by botocore, in the header and in the query.

Says {"how", "method", "path", "query", "headers", "body", "service", "secret"} and ends with null.
"""

import base64
import sys
import urllib.parse

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conversation import randomness, say, text


def path(rng):
    """A path as clients send it: segments percent-encoded, ARNs among them."""
    segments = [urllib.parse.quote(text(rng).replace("\n", "").replace("\r", ""), safe="-._~") for _ in range(rng.randint(0, 4))]
    return "/" + "/".join(segments) + rng.choice(["", "/"] if segments else [""])


def query(rng):
    pairs = [(text(rng), text(rng, 0)) for _ in range(rng.randint(0, 5))]
    quote = rng.choice([urllib.parse.quote, urllib.parse.quote_plus])
    # botocore signs a query in a URL as it stands there, so it has to stand there in order.
    encoded = sorted(f"{quote(name, safe='-._~')}={quote(value, safe='-._~')}" for name, value in pairs)
    return "&".join(encoded) if quote is urllib.parse.quote else "&".join(encoded).replace("+", "%20")


def headers(rng):
    names = rng.sample(["x-amz-checksum", "content-type", "x-custom", "accept-encoding"], rng.randint(0, 4))
    return {name: text(rng).strip().replace("\n", " ").replace("\r", " ").encode("ascii", "replace").decode() for name in names}


def signed(rng, how):
    method = rng.choice(["GET", "POST", "PUT", "DELETE"])
    body = rng.randbytes(rng.randint(0, 200)) if how == "header" and method in ("POST", "PUT") else b""
    url = f"http://{rng.choice(['127.0.0.1:4500', 'localhost', 'ec2.us-east-1.amazonaws.com'])}{path(rng)}"
    asked = query(rng)
    request = AWSRequest(method=method, url=f"{url}?{asked}" if asked else url, headers=headers(rng), data=body)
    secret = text(rng).strip() or "s"
    service, credentials = rng.choice(["ec2", "ebs", "sts", "cairn"]), Credentials("AKIDORACLE", secret)
    if how == "header":
        SigV4Auth(credentials, service, "eu-west-1").add_auth(request)
    else:
        SigV4QueryAuth(credentials, service, "eu-west-1", expires=rng.randint(1, 604800)).add_auth(request)
    return request.prepare(), body, service, secret


def main():
    rng = randomness()
    for number in range(int(sys.argv[2])):
        how = ["header", "query"][number % 2]
        request, body, service, secret = signed(rng, how)
        url = urllib.parse.urlsplit(request.url)
        sent = [[name, value.decode() if isinstance(value, bytes) else value] for name, value in request.headers.items()]
        if "host" not in {name.lower() for name, _ in sent}:
            sent.append(["host", url.netloc])
        say({
            "how": how,
            "method": request.method,
            "path": url.path,
            "query": url.query,
            "headers": sent,
            "body": base64.b64encode(body).decode(),
            "service": service,
            "secret": secret,
        })
    say(None)


main()
