"""`python -m spacetime_py` is the command `spacetime-py`."""

import sys

from .cli import main

sys.exit(main())
