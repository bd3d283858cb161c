"""One message when something is wrong, one when it is over. Pure."""

from __future__ import annotations

from ..ports import Publishes, Sentence


class Troubles:
    """What is wrong now, by a key of the caller's."""

    def __init__(self, told: Publishes) -> None:
        self._told = told
        self._there: set[str] = set()

    def say(self, notices: list[tuple[str, Sentence]]) -> None:
        """Tells what waits there, (level, sentence), and empties it."""
        while notices:
            level, said = notices.pop(0)
            values = {name: self.own(value) for name, value in said.values.items()}
            self._told.message(level, said.template, **values)

    def own(self, value: object) -> object:
        """A value in the user's language, with the sentences in it."""
        if not isinstance(value, Sentence):
            return value
        return self._told.translate(value.template, **{name: self.own(each) for name, each in value.values.items()})

    def note(self, key: str, there: bool, begins: str, ends: str, name: str) -> None:
        """Takes whether a trouble is there; `begins` and `ends` are templates with `{name}`."""
        if there and key not in self._there:
            self._there.add(key)
            self._told.message("warning", begins, name=name)
        elif not there and key in self._there:
            self._there.discard(key)
            self._told.message("info", ends, name=name)
