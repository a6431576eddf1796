"""Runs the code of a Jupyter notebook on a results file, without Jupyter, after a look at its form:
version 4, a kernel, no outputs stored.

usage: run_notebook.py NOTEBOOK RESULTS
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    notebook = json.loads(Path(sys.argv[1]).read_text())
    os.environ["HEADROOM_RESULTS"] = sys.argv[2]
    assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells), "each cell has an id of its own"
    names: dict = {"__name__": "__main__"}
    ran = 0
    for cell in cells:
        assert cell["cell_type"] in ("code", "markdown") and isinstance(cell["source"], list)
        if cell["cell_type"] == "markdown":
            continue
        assert cell["outputs"] == [] and cell["execution_count"] is None, "outputs are stored"
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
        ran += 1
    assert ran > 0, "the notebook has no code"
    print(f"{ran} cells ran")


main()
