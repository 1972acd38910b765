"""How Hotline is run: the local launcher (`deploy.local`) and the command line (`deploy.command`)."""
