"""Compares a run of pkcs11-check with the list of explained failures.

    judge.py results.json report.jsonl explained.txt

Ends with 1 for a crash, for a failure that is not explained, and for an explanation of what was
run and did not fail: the list must not outlive its reasons. In an explained name `*` stands for
anything.
"""

import fnmatch
import json
import sys


def test_id(node):
    """A test's name without the place where the program is installed."""
    return node.rsplit("/testcases/", 1)[-1]


def outcomes(report):
    """The worst outcome of each test."""
    worst = {}
    with open(report, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry.get("$report_type") != "TestReport":
                continue
            name = test_id(entry["nodeid"])
            if entry["outcome"] == "failed" or worst.get(name) not in ("failed", "passed"):
                worst[name] = entry["outcome"]
    return worst


def explanations(path):
    """The explained tests."""
    with open(path, encoding="utf-8") as lines:
        rows = [line.rstrip("\n") for line in lines if line.strip() and not line.startswith("#")]
    pairs = [row.split("\t", 1) for row in rows]
    bad = [pair[0] for pair in pairs if len(pair) != 2 or not pair[1].strip()]
    if bad:
        sys.exit(f"explained.txt: no reason given for {', '.join(bad)}")
    return dict(pairs)


def like(name, pattern):
    """Whether a test's name is a pattern's; brackets stand for themselves."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def main(results, report, reasons_file):
    with open(results, encoding="utf-8") as file:
        summary = json.load(file)["summary"]
    seen = outcomes(report)
    reasons = explanations(reasons_file)
    failed = {name for name, outcome in seen.items() if outcome == "failed"}
    explained = {name for name in failed if any(like(name, pattern) for pattern in reasons)}
    new = sorted(failed - explained)
    ran = {name for name, outcome in seen.items() if outcome != "skipped"}
    healed = sorted(
        pattern
        for pattern in reasons
        if any(like(name, pattern) for name in ran)
        and not any(like(name, pattern) for name in failed)
    )
    dead = sum(summary[kind] for kind in ("crashed", "timeout", "child_crash", "child_timeout"))
    counts = ("passed", "failed", "skipped", "xfailed", "crashed", "timeout")
    print("pkcs11-check:", ", ".join(f"{summary[kind]} {kind}" for kind in counts))
    for name in new:
        print(f"  not explained: {name}")
    for name in healed:
        print(f"  explained, and passes: {name}")
    for name in sorted(explained):
        print(f"  explained: {name}")
    if not seen:
        sys.exit("no test was run")
    sys.exit(1 if new or healed or dead or summary["incomplete"] else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
