"""Runs the capture groups: make.py [group ...]"""
import importlib
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import pki

GROUPS = ["versions", "suites", "certificates", "flow", "alerts", "clients", "formats", "segments", "policies"]


def main():
    want = sys.argv[1:] or GROUPS
    for g in want:
        if g not in GROUPS:
            sys.exit(f"no group {g}; there are: {' '.join(GROUPS)}")
    pki.make()
    lib.net_up()
    t = time.time()
    for g in want:
        print(g, flush=True)
        lib.GROUP = g
        importlib.import_module(g).run()
    lib.write_manifest()
    print(f"{time.time() - t:.0f} s", "FAILED: " + " ".join(lib.failed) if lib.failed else "all made")
    sys.exit(1 if lib.failed else 0)


main()
