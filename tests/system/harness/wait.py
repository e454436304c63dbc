"""Waiting: for a condition, with a deadline, never for a fixed time."""
import time


class TooLate(AssertionError):
    pass


def until(condition, what, seconds=30, pause=0.05):
    """Returns the first true value of condition(); what: what was awaited, for the message."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TooLate(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)
