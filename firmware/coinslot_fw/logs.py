"""The last lines of the log, in memory, until they are sent; the oldest are dropped first."""

_KEPT = 12  # memory is short
_SENT_AT_ONCE = 6
_TEXT_CHARACTERS = 120


class Logs:
    """Each line is (level, at_mono_ms, text)."""

    def __init__(self, clock, echo=None):
        self._clock = clock
        self._echo = echo
        self.lines = []

    def say(self, level, text):
        self.lines.append((level, self._clock.now_ms(), text[:_TEXT_CHARACTERS]))
        if len(self.lines) > _KEPT:
            self.lines.pop(0)
        if self._echo:
            self._echo(level, text)

    def info(self, text):
        self.say("info", text)

    def warning(self, text):
        self.say("warning", text)

    def error(self, text):
        self.say("error", text)

    def taken(self):
        """The next lines to send, no longer kept: a lost line of a log is no loss of a vend."""
        lines, self.lines = self.lines[:_SENT_AT_ONCE], self.lines[_SENT_AT_ONCE:]
        return [{"level": a, "at_mono_ms": b, "text": c} for a, b, c in lines]
