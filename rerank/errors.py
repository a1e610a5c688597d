"""The one exception that the library raises for causes a user can mend."""


class RerankError(Exception):
    """A failure with a code and the facts of the case; `rerank.wording` turns both into a sentence.

    Codes are snake_case and stable: pages, exit codes and tests depend on them, never on prose.
    """

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code} ({facts})" if facts else self.code
