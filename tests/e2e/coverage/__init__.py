"""The table of operations: for each, a call that succeeds, and what is refused and how.

`ROWS` of every module beside this file. `test_coverage.py` makes of each row the cases that the
service's model says there have to be: an operation without a row fails it, and so does a row that
says nothing of an id, a page or a token that the model has.
"""

import dataclasses
import importlib
import pkgutil
import typing

# The codes of ids that several modules speak of: malformed, and of nobody.
VOLUME = ("InvalidVolumeID.Malformed", "InvalidVolume.NotFound")
SNAPSHOT = ("InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound")
IMAGE = ("InvalidAMIID.Malformed", "InvalidAMIID.NotFound")
INSTANCE = ("InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound")


@dataclasses.dataclass(frozen=True)
class Row:
    """An operation.

    request: makes the parameters of a call that succeeds, out of a world (see test_coverage.World).
    ids: for each parameter that takes ids (`"SnapshotIds[0]"` is the first of a list) the code of a
        malformed one (none: there is no such thing) and of one that does not exist.
    other_ids: parameters that end in Id or Ids, or are named like it, and are checked otherwise.
    stranger: the code that another account gets for the same call; that of the first id unless given;
        None where the call names nothing that another account cannot have.
    pages: the list in the result, where the operation pages; `fill` makes more than `page_min` of what it lists
        and gives the parameters of a call that lists them.
    token: what to change to get IdempotentParameterMismatch, where the operation has a ClientToken;
        `result` is what two calls with one token have in common.
    succeeds: whether the plain call is made; False says that only refusals can be shown here, and why.
    """

    operation: str
    request: typing.Callable = lambda w: {}
    ids: dict = dataclasses.field(default_factory=dict)
    other_ids: tuple = ()
    stranger: typing.Any = "as the first id"
    dry_run: bool = True
    pages: str | None = None
    page_min: int = 5
    fill: typing.Callable | None = None
    token: dict | None = None
    result: str | None = None
    service: str = "ec2"
    succeeds: bool | str = True
    mismatch: str = "IdempotentParameterMismatch"
    bad_token: tuple = ("InvalidNextToken", "InvalidPaginationToken", "InvalidParameterValue", "InvalidMarkerException")


def rows():
    """All of them."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").ROWS
    return found
