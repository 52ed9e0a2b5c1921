"""What pyhumps makes of names, run by the interpreter of auto-trainer-api's environment.

``python peer_casing.py``: each line of standard input is a list of JSON, ``"camelize"`` or ``"decamelize"``
and a value; its answer is a line of JSON.
"""

import json
import sys
from importlib import import_module
from typing import Any

#: Absent from the environment in which types are checked.
humps: Any = import_module("humps")

for line in sys.stdin:
    function, value = json.loads(line)
    sys.stdout.write(json.dumps(getattr(humps, function)(value)) + "\n")
    sys.stdout.flush()
