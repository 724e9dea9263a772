"""`python -m mmtrain`."""

import sys

from mmtrain.cli import main

if __name__ == "__main__":  # a process that a sweep starts reads this file, too
    sys.exit(main())
