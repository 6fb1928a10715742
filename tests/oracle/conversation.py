"""How the oracles talk with the Rust tests that run them: one JSON value a line, either way."""

import json
import pathlib
import random
import sys

MODEL = json.loads((pathlib.Path(__file__).parents[2] / "crates/api/model/ec2.json").read_text())


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def hear():
    return json.loads(sys.stdin.readline())


def randomness():
    """Random numbers by the seed that the test gave, so that a failure can be repeated."""
    return random.Random(int(sys.argv[1]))


def text(rng, least=1):
    """Text with everything that encodings get wrong, except what XML cannot carry."""
    letters = "aZ09-_.~ +&=%/\\:;,<>\"'?#[]{}|^`!@$()*\t\n\r\u00e9\u1234\U0001f9f1"
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, 12)))
