"""The one error of the embedded stack."""


class EmbeddedError(RuntimeError):
    """The local stack cannot start or go on; the message is one sentence for the person at the terminal.

    It says what was found, what was expected and, where there is a way out, what to do. Where a child process
    failed, the last lines of its log follow.
    """
