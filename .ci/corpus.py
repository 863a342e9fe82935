#!/usr/bin/env python3
"""Score the corpus and hold it to the figures last reached.

  corpus.py CORPUS BINARY            fails where a figure is below corpus-floor.json
  corpus.py CORPUS BINARY --update   writes the figures reached into corpus-floor.json

CORPUS holds pcaps/, pcaps.jsonl, truth.jsonl, to_score.py and score.py. The floor holds for each transport and field
the percentage of the truth's values that are found and right, and how many values are wrong; and the records that
captures without a handshake may yield: none.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

FLOOR = pathlib.Path(__file__).with_name("corpus-floor.json")


def main():
    corpus, binary = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as scratch:
        reached = measure(corpus, binary, pathlib.Path(scratch))
    if "--update" in sys.argv:
        FLOOR.write_text(json.dumps(reached, indent=2) + "\n")
    floor = json.loads(FLOOR.read_text()) if FLOOR.exists() else reached
    problems = list(compare(floor, reached))
    for problem in problems:
        print("below the floor:", problem)
    if not problems and floor != reached:
        print("better than the floor: run `.ci/corpus.py CORPUS BINARY --update` and commit it")
    return 1 if problems else 0


def measure(corpus, binary, scratch):
    flows, rows = scratch / "flows.ndjson", scratch / "rows.ndjson"
    with flows.open("wb") as out, (scratch / "errors").open("wb") as errors:
        status = subprocess.run(
            [binary, "read", "--format", "ndjson", "pcaps"], cwd=corpus, stdout=out, stderr=errors).returncode
    if status not in (0, 2):  # 2: some of the files are no captures
        sys.exit(f"handprint ended with status {status}")
    with flows.open("rb") as source, rows.open("wb") as out:
        subprocess.run([sys.executable, corpus / "to_score.py"], stdin=source, stdout=out, check=True)
    truth = [json.loads(line) for line in (corpus / "truth.jsonl").read_text().splitlines() if line.strip()]
    all_rows = score(corpus, rows, truth, scratch)["rows"]
    reached = {"false_positives": all_rows.get("false_positive", 0), "transports": {}}
    print("false positives in captures without a handshake:", reached["false_positives"])
    for transport in sorted({row["proto"] for row in truth}):
        report = score(corpus, rows, [row for row in truth if row["proto"] == transport], scratch)
        fields = reached["transports"][transport] = {}
        print(f"{transport}: {report['rows'].get('rows_found', 0)} of {report['rows'].get('rows', 0)} handshakes")
        for field, counts in report["mandatory"].items():
            right, wrong = counts.get("match", 0), counts.get("mismatch", 0)
            values = right + wrong + counts.get("missing", 0) + counts.get("missing_row", 0)
            if values:
                recall = int(10000 * right / values) / 100
                fields[field] = {"recall": recall, "wrong": wrong}
                print(f"  {field:15} {recall:6.2f} % of {values}, {wrong} wrong")
    return reached


def score(corpus, rows, truth, scratch):
    chosen, report = scratch / "truth.jsonl", scratch / "report.json"
    chosen.write_text("".join(json.dumps(row) + "\n" for row in truth))
    subprocess.run(
        [sys.executable, corpus / "score.py", "--truth", chosen, "--pcaps", corpus / "pcaps.jsonl", "--json", report,
         "--list", "0", rows], stdout=subprocess.DEVNULL, check=True)
    return json.loads(report.read_text())


def compare(floor, reached):
    if reached["false_positives"] > floor["false_positives"]:
        yield f"{reached['false_positives']} false positives"
    for transport, fields in floor["transports"].items():
        for field, least in fields.items():
            now = reached["transports"].get(transport, {}).get(field, {"recall": 0, "wrong": 0})
            if now["recall"] < least["recall"]:
                yield f"{transport} {field}: {now['recall']} % found, {least['recall']} % before"
            if now["wrong"] > least["wrong"]:
                yield f"{transport} {field}: {now['wrong']} values wrong, {least['wrong']} before"


if __name__ == "__main__":
    sys.exit(main())
