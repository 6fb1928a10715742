#!/usr/bin/env python3
"""Trims botocore's service model to what the allow-list names: crates/api/model/ec2.json.

Needed only when ec2.allow.json changes. Names and shapes are taken, no documentation. Every
member of a request shape is listed: used, ignored, refused, or accepted with certain values
only; a member that the allow-list does not mention is used, so that a new one cannot be lost
silently. Members of responses are those that the allow-list names, or all.

Usage: trim.py [--check]
"""

import json
import pathlib
import sys

from botocore.loaders import Loader

HERE = pathlib.Path(__file__).parent
SCALARS = {"string", "boolean", "integer", "long", "float", "double", "timestamp", "blob"}


class Trimmer:
    def __init__(self, model, allow):
        self.shapes, self.allow = model["shapes"], allow
        self.requests, self.responses = {}, {}

    def kind(self, name, visit):
        """A member's type as the generator reads it: a scalar, {"list"} or {"structure"}."""
        shape = self.shapes[name]
        if shape["type"] in SCALARS:
            return shape["type"]
        if shape["type"] == "list":
            member = shape["member"]
            return {"list": self.kind(member["shape"], visit), "item": member.get("locationName", "member")}
        assert shape["type"] == "structure", (name, shape["type"])
        visit(name)
        return {"structure": name}

    def request(self, name):
        if name in self.requests:
            return
        shape, rule = self.shapes[name], self.allow["requests"].get(name, {})
        named = {m for key in ("ignore", "refuse", "only", "keepEmpty") for m in rule.get(key, ())}
        assert named <= set(shape["members"]), (name, named - set(shape["members"]))
        out = self.requests[name] = {"members": {}, "ignored": [], "refused": [], "only": {}}
        for member, about in shape["members"].items():
            wire = query_name(member, about)
            if member in rule.get("ignore", ()):
                out["ignored"].append(wire)
            elif member in rule.get("refuse", ()):
                out["refused"].append(wire)
            elif member in rule.get("only", {}):
                out["only"][wire] = rule["only"][member]
            else:
                out["members"][member] = self.request_member(wire, member, about, shape, rule)

    def request_member(self, wire, member, about, shape, rule):
        entry = {"wire": wire, "type": self.kind(about["shape"], self.request)}
        if member in shape.get("required", ()):
            entry["required"] = True
        if member in rule.get("keepEmpty", ()):
            entry["keepEmpty"] = True
        return entry

    def response(self, name):
        if name in self.responses:
            return
        members = self.shapes[name]["members"]
        chosen = self.allow["responses"].get(name, list(members))
        assert set(chosen) <= set(members), (name, set(chosen) - set(members))
        out = self.responses[name] = {"members": {}}
        for member, about in members.items():
            if member in chosen:
                kind = self.kind(about["shape"], self.response)
                entry = out["members"][member] = {"wire": about.get("locationName", member), "type": kind}
                if "list" in kind and name in self.allow["optionalLists"]:
                    entry["optional"] = True


def query_name(member, about):
    """The ec2 protocol's name of a request member: queryName as it is, or the locationName with
    its first letter raised, or the member's own name."""
    if "queryName" in about:
        return about["queryName"]
    name = about.get("locationName", member)
    return name[0].upper() + name[1:]


def trim(service):
    allow = json.loads((HERE / f"{service}.allow.json").read_text())
    model = Loader().load_service_model(service, "service-2")
    trimmer, operations = Trimmer(model, allow), {}
    for name in allow["operations"]:
        operation = model["operations"][name]
        trimmer.request(operation["input"]["shape"])
        operations[name] = {"request": operation["input"]["shape"]}
        if "output" in operation:
            trimmer.response(operation["output"]["shape"])
            operations[name]["response"] = operation["output"]["shape"]
    unused = set(allow["requests"]) - set(trimmer.requests) | set(allow["responses"]) - set(trimmer.responses)
    assert not unused, f"the allow-list names shapes that nothing uses: {unused}"
    metadata = model["metadata"]
    return {
        "service": service,
        "apiVersion": metadata["apiVersion"],
        "xmlNamespace": metadata["xmlNamespace"] + "/",
        "operations": operations,
        "requests": dict(sorted(trimmer.requests.items())),
        "responses": dict(sorted(trimmer.responses.items())),
    }


def main():
    target = HERE / "ec2.json"
    text = json.dumps(trim("ec2"), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        sys.exit(0 if target.read_text() == text else "ec2.json differs from what the allow-list and botocore give")
    target.write_text(text)


main()
