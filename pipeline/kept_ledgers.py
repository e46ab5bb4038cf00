"""KeptLedgers: the ledgers of recent turns, for clients that report later how much was heard."""

from collections import OrderedDict

from pipeline.ledger import Ledger

MAX_KEPT = 10
"""Number of ended turns for which a client may still report how much was heard."""


class KeptLedgers:
    """The ledgers of the last `MAX_KEPT` turns that have ended. The caller holds a lock."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[Ledger, int]] = OrderedDict()

    def keep(self, turn: int, ledger: Ledger, sent: int) -> None:
        """Keep the ledger of a turn of which `sent` samples were released."""
        self._kept[turn] = (ledger, sent)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def heard(self, turn: int, sample: int) -> str | None:
        """The words before `sample` of a turn; None if its ledger is not kept."""
        if turn not in self._kept:
            return None
        ledger, sent = self._kept[turn]
        return ledger.heard(min(sample, sent))
