"""The list of what is known to fail, and the judgement of a run by it."""
import pathlib
import typing

WHOLE = "*"


class Entry(typing.NamedTuple):
    scenario: str
    step: str  # an id, or "*" for a scenario that fails as a whole
    reason: str

    def key(self):
        return f"{self.scenario} *" if self.step == WHOLE else f"{self.scenario}/{self.step}"


class BadList(ValueError):
    pass


class Expectations:
    """Lines "scenario/step  # reason" and "scenario *  # reason"; an entry without a reason is refused."""

    def __init__(self, entries, comments=()):
        self.entries, self.comments = list(entries), list(comments)

    @staticmethod
    def read(path):
        return Expectations.parse(pathlib.Path(path).read_text())

    @staticmethod
    def parse(text):
        entries, comments = [], []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            if line.startswith("#"):
                comments.append(line)
                continue
            key, _, reason = (p.strip() for p in line.partition("#"))
            if key.endswith(" *"):
                scenario, step = key[:-2].strip(), WHOLE
            else:
                scenario, _, step = key.partition("/")
            if not reason or not step or " " in scenario:
                raise BadList(f'line {number}: want "scenario/step  # reason" or "scenario *  # reason": {line}')
            entries.append(Entry(scenario, step, reason))
        return Expectations(entries, comments)

    def of(self, scenario, step):
        """The entry that allows this step to fail, or None."""
        return next((e for e in self.entries if e.scenario == scenario and e.step in (step, WHOLE)), None)

    def text(self):
        lines = [f"{e.key()}  # {e.reason}" for e in sorted(self.entries)]
        return "\n".join(self.comments + lines) + "\n"


class Outcome(typing.NamedTuple):
    passed: int
    unexpected: list  # (scenario, step, differences)
    known: list  # the same, of steps that are listed
    stale: list  # entries of which nothing fails


def judge(results, listed, complete):
    """results: {scenario: {step: differences}}. complete: every scenario ran, so entries of others are stale too."""
    passed, unexpected, known, used = 0, [], [], set()
    for scenario, steps in results.items():
        for step, found in steps.items():
            entry = listed.of(scenario, step)
            if not found:
                passed += 1
            elif entry:
                known.append((scenario, step, found))
                used.add(entry)
            else:
                unexpected.append((scenario, step, found))
    stale = [e for e in listed.entries if e not in used and (complete or e.scenario in results)]
    return Outcome(passed, unexpected, known, stale)


def rewrite(path, listed, outcome, strike=False, refine=False, reason=None):
    """Writes the list anew. strike: without stale entries. refine: with the failing steps in place of "scenario *".
    reason: with what failed unexpectedly, for this reason."""
    gone = {e for e in listed.entries if strike and e in outcome.stale}
    added = [Entry(scenario, step, reason) for scenario, step, _ in outcome.unexpected if reason]
    if refine:
        wide = {e for e in listed.entries if e.step == WHOLE and e not in outcome.stale}
        gone |= {e for e in wide if any(e.scenario == scenario for scenario, _, _ in outcome.known)}
        added += [Entry(scenario, step, listed.of(scenario, step).reason) for scenario, step, _ in outcome.known
                  if listed.of(scenario, step) in gone]
    entries = [e for e in listed.entries if e not in gone]
    pathlib.Path(path).write_text(Expectations(entries + added, listed.comments).text())
