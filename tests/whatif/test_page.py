"""The examples of the page on what-if run as printed."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

from tests.test_manual import blocks


def test_the_examples_of_the_page_run(capsys):
    from matplotlib import pyplot

    names: dict[str, object] = {}
    for example in blocks("whatif.md", "python"):
        exec(compile(example, "whatif.md", "exec"), names)
    told = [
        "True 8",
        "True",
        "['answered_in_time', 'calls_abandoned']",
        "('closest_idle', 'dmexclp') ('dmexclp', 'dmexclp(busy_fraction=0.6)')",
    ]
    assert capsys.readouterr().out.splitlines() == told
    pyplot.close("all")
