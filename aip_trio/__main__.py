"""``python -m aip_trio``."""

import sys

from aip_trio.cli import main

if __name__ == "__main__":
    sys.exit(main())
