"""python -m infra.checks [--write]: compile the infrastructure, compare the snapshots with it, or write them."""

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from infra.checks import snapshots
from infra.checks.compiler import Finding, NoCompilerError, copied_sources


def main(arguments: list[str]) -> int:
    """Return the exit code: 0 without an error, 1 with one, 2 without a compiler."""
    if arguments not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return _write() if arguments else _check()
    except NoCompilerError as error:
        print(error, file=sys.stderr)
        return 2


def _check() -> int:
    with copied_sources(os.environ) as sources, ThreadPoolExecutor(2) as pool:
        names = sources.parameters
        # Each compiles the template with its modules, and the linter speaks in both.
        calls = [("build", "main.bicep", "--stdout"), ("lint", "--pattern", "*.bicepparam")]
        compiled = pool.map(lambda call: sources.compile(*call), calls)
        predictions = [*pool.map(lambda name: snapshots.predict(sources, name), names)]
        found = set().union(*compiled, *(each.findings for each in predictions))
        found |= sources.unused() | sources.badly_formatted() | snapshots.stale(predictions)
    _print(found)
    errors = sum(finding.is_error for finding in found)
    print(f"Bicep: {', '.join(names)} compiled, {errors} errors.")
    return 1 if errors else 0


def _write() -> int:
    with copied_sources(os.environ) as sources, ThreadPoolExecutor(2) as pool:
        predictions = [*pool.map(lambda name: snapshots.predict(sources, name), sources.parameters)]
    found = set().union(*(each.findings for each in predictions))
    if found:
        _print(found)
        return 1
    snapshots.write(predictions)
    return 0


def _print(found: Iterable[Finding]) -> None:
    for finding in sorted(found, key=lambda finding: (finding.is_error, finding)):
        print(f"{'error' if finding.is_error else 'note'}: {finding}", file=sys.stderr)


sys.exit(main(sys.argv[1:]))
