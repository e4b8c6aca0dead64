"""Prints a module's name and version as JSON, and which library does NumPy's linear algebra.

usage: peer_version.py MODULE
"""

import importlib
import json
import pathlib
import re
import sys

module = importlib.import_module(sys.argv[1])
text = {"numpy": "NumPy", "sklearn": "scikit-learn"}[sys.argv[1]] + " " + module.__version__
if sys.argv[1] == "numpy":
    mapped = {pathlib.Path(line.split()[-1]).name for line in open("/proc/self/maps") if line.count("/") > 1}
    libraries = sorted(name for name in mapped if re.search("openblas|blis|mkl|libblas", name))
    text += f" with {libraries[-1]}" if libraries else ""
print(json.dumps(text))
