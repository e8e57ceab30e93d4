"""The one exception that means: a user gave something bad."""


class InputError(ValueError):
    """Bad input. The message is a single line that names the place, ready to be shown."""
