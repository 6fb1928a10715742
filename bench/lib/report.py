"""Results: medians with their spread, ratios, goals that are met or not, and how they are shown."""

import dataclasses
import json
import os
import pathlib
import platform
import statistics


@dataclasses.dataclass
class Series:
    """One figure of one contender, a value a round."""

    name: str
    unit: str
    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def shown(self):
        return f"{number(self.median)} {self.unit}".rstrip() + f" ({number(min(self.values))}–{number(max(self.values))})"


@dataclasses.dataclass
class Goal:
    """What is to be reached: a ratio, or a figure, and its bound."""

    what: str
    value: float
    spread: tuple
    bound: float
    at_least: bool
    meant: str = ""  # the size that the goal is for, where that is not what was measured

    @property
    def met(self):
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def shown(self):
        low, high = self.spread
        return (self.what, f"**{number(self.value)}** ({number(low)}–{number(high)})",
                f"{'≥' if self.at_least else '≤'} {number(self.bound)}{self.meant and f' ({self.meant})'}", self.said())

    def said(self):
        if not self.met:
            return "**not met**"
        return "met at this size" if self.meant else "met"


class Result:
    """A row of the table of goals, as it was measured, or why it could not be."""

    def __init__(self, row, title, door, skipped=None):
        self.row, self.title, self.door, self.skipped = row, title, door, skipped
        self.series, self.goals, self.notes, self.commands, self.versions = {}, [], [], [], []

    def add(self, name, unit, values):
        """Keeps a series, to be found by its name."""
        self.series[name] = Series(name, unit, list(values))
        return self.series[name]

    def note(self, text):
        self.notes.append(text)

    def ran(self, command):
        """Notes a command line, once."""
        if command not in self.commands:
            self.commands.append(command)

    def against(self, version):
        """Notes the version of a peer, once."""
        if version not in self.versions:
            self.versions.append(version)

    def ratio(self, what, over, under, at_least=None, at_most=None, meant=""):
        """A goal for the quotient of two series: that of their medians, and of each round.

        `meant` names the size that the goal is for, where another one was measured."""
        over, under = self.series[over], self.series[under]
        rounds = [a / b for a, b in zip(over.values, under.values)]
        self._goal(what, over.median / under.median, (min(rounds), max(rounds)), at_least, at_most, meant)

    def limit(self, what, name, at_least=None, at_most=None, meant=""):
        """A goal for the median of one series."""
        values = self.series[name].values
        self._goal(what, self.series[name].median, (min(values), max(values)), at_least, at_most, meant)

    def _goal(self, what, value, spread, at_least, at_most, meant):
        bound = at_most if at_least is None else at_least
        self.goals.append(Goal(what, value, spread, bound, at_least is not None, meant))

    def verdict(self):
        if self.skipped:
            return "not measured"
        if not self.goals:
            return "no goal"
        said = {goal.said() for goal in self.goals}
        return next(word for word in ("**not met**", "met at this size", "met") if word in said)

    def markdown(self):
        lines = [f"## {self.row}: {self.title}", ""]
        if self.skipped:
            return "\n".join([*lines, f"Not measured: {self.skipped}.", ""])
        lines += [f"Door: {self.door}.", ""]
        lines += ["    " + command for command in self.commands] + ([""] if self.commands else [])
        if self.versions:
            lines += [f"Peers: {', '.join(self.versions)}.", ""]
        if self.series:
            lines += table(("what", "median (lowest–highest)"), [(one.name, one.shown()) for one in self.series.values()])
        if self.goals:
            lines += table(("goal", "measured", "bound", ""), [goal.shown() for goal in self.goals])
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines).rstrip() + "\n"

    def as_json(self):
        return {"row": self.row, "title": self.title, "door": self.door, "skipped": self.skipped,
                "commands": self.commands, "peers": self.versions, "notes": self.notes,
                "series": [dataclasses.asdict(one) | {"median": one.median} for one in self.series.values()],
                "goals": [dataclasses.asdict(goal) | {"met": goal.met} for goal in self.goals]}


def table(head, rows):
    """Lines of a table in Markdown, with an empty one after it."""
    cells = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in row) + " |" for row in cells] + [""]


def number(value):
    """Three digits that mean something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def overview(results):
    """One line for each result, and its goals."""
    rows = []
    for result in results:
        goals = "; ".join(f"{goal.what}: {number(goal.value)} ({'≥' if goal.at_least else '≤'} {number(goal.bound)})"
                          for goal in result.goals)
        rows.append((result.row, result.title, result.skipped or goals, result.verdict()))
    return "\n".join(table(("row", "what", "measured (goal)", ""), rows))


def machine():
    """What the figures were measured on."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}


def document(results, arguments, before, after):
    """The whole of a run, in Markdown."""
    head = (f"Machine: {before['cores']} cores ({before['cpu']}), Linux {before['kernel']}; load average "
            f"{before['load'][0]:.1f} before, {after[0]:.1f} after. {arguments}\n\n"
            "Medians of interleaved rounds (lowest–highest); the spread of a ratio is that of its rounds.\n")
    return "\n".join([head, overview(results), *(result.markdown() for result in results)])


def write_json(path, results, arguments, before, after):
    report = {"machine": before, "load_after": after, "arguments": arguments,
              "results": [result.as_json() for result in results]}
    pathlib.Path(path).write_text(json.dumps(report, indent=1, default=str) + "\n")
