"""What is wrong with a filter pattern, in AWS's words."""


class InvalidPattern(ValueError):
    """The text is no filter pattern. Its message is AWS's, as far as it is known."""

    def __init__(self, message: str = "Invalid filter pattern") -> None:
        super().__init__(message)
