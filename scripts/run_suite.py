"""Measure claims of the article here, judge them, and write verdicts, figures and the report.

    python scripts/run_suite.py C3 C5 --profile quick --out results/local

Without names all claims are measured. A run that was interrupted goes on where it stopped.
"""

import argparse
from pathlib import Path

from jacchain.report.publish import publish
from jacchain.runs.job import job_of
from jacchain.runs.runner import forecast, run


def measure(claims, profile, out):
    """Measure the cells of some claims, and return what their records say."""
    job = job_of(profile, claims)
    cells = forecast(job)
    seconds = sum(cell.seconds for cell in cells if not cell.skipped)
    print(f"{len(cells)} cells, about {seconds:.0f} s")
    run(out, job, finished=lambda verdict: print(verdict.claim, verdict.verdict, flush=True))
    return publish(out)


def show(assessment):
    """Print each verdict with the parts that it rests on."""
    for verdict in assessment.verdicts:
        print(f"\n{verdict.claim} {verdict.verdict}: {verdict.reason}")
        for part in verdict.parts:
            print(f"  {part.name}: measured {part.measured:.4g}, expected {part.expected:.4g}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claims", nargs="*")
    parser.add_argument("--profile", choices=("quick", "standard", "full"), default="quick")
    parser.add_argument("--out", type=Path, default=Path("results/local"))
    options = parser.parse_args()
    show(measure(options.claims, options.profile, options.out))
