"""`python -m deploy.local`: what `make run` calls."""

import sys

from deploy.local.launcher import main

if __name__ == "__main__":
    sys.exit(main())
