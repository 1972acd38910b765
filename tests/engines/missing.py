"""Why engines cannot be had."""


class EnginesMissing(Exception):
    """What is missing, as the end of a sentence and without its full stop."""
