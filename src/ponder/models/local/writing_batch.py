"""Many answers at a time: who is read, who has a row, and what happens when memory runs out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ponder.models.local.loading import Loaded
from ponder.models.local.writing_reading import Job, Tensors, read, read_alone
from ponder.models.local.writing_state import Slots, hidden_states, likeliest, out_of_memory

ROWS = {"cpu": 128, "cuda": 256}
"""Answers that are written side by side: more gain nothing (on two cores 64 rows write 365 tokens a second,
128 write 433), or take their memory from other things."""

_AHEAD = 256
"""Tokens of room behind the longest answer when a table is made."""

_SHARE = {"cpu": 1 / 8, "cuda": 0.6}
"""Of the machine's memory, or of what is free on the GPU, for the table."""


class Batch:
    """Writes answers side by side until all are done.

    Prompts are read longest first, a row of the model's at a time, and each gets a row of the table; a row
    whose answer is done goes to the next prompt. How many rows there are follows from their length: as many
    as the memory for them holds. When memory runs out all the same, half of the rows are set aside, and no
    more are used again. Nothing that was written is lost.

    Args:
        loaded: The model.
        jobs: What to answer; their pens hold the answers afterwards.
        tensors: As for `read`.
        rows: The most rows; by default what the device is good for.
        memory: Bytes for the table; by default a share of what there is.
    """

    def __init__(
        self,
        loaded: Loaded,
        jobs: Sequence[Job],
        tensors: Tensors,
        rows: int | None = None,
        memory: float | None = None,
    ) -> None:
        kind = loaded.device.type
        self._loaded, self._tensors = loaded, tensors
        self._rows = rows or ROWS.get(kind, 64)
        self._memory = memory or _memory(loaded.device)
        self._pack = loaded.settings.row
        self._most = max((len(job.rendered.ids) + job.pen.limit for job in jobs), default=0)
        self._waiting = list(jobs)
        self._live: list[Job] = []
        self._trying: list[Job] = []
        self._slots: Slots | None = None
        self._token = 0.0

    def run(self) -> None:
        """Write all answers."""
        import torch

        self._sort()
        with torch.inference_mode():
            while self._waiting or self._live:
                try:
                    self._turn()
                    self._trying = []
                except Exception as error:
                    if not out_of_memory(error):
                        raise
                    failed = True
                else:
                    failed = False
                # Behind the except: there the error still holds what took the memory.
                if failed:
                    self._back_off()

    def _turn(self) -> None:
        if not self._loaded.plain:
            self._trying = self._waiting[:1]
            read_alone(self._loaded, self._waiting[0])
            self._waiting.pop(0)
            return
        if self._slots is not None and not self._suits(self._slots):
            self._set_aside()
        if self._slots is None:
            self._slots = self._table()
        if self._slots is not None:
            self._admit(self._slots)
            if self._live:
                self._write(self._slots)

    def _suits(self, slots: Slots) -> bool:
        """Whether no answer has outgrown the table, and no shorter one has as many rows again."""
        longest = max(job.length for job in (*self._live, *self._waiting[:1]))
        enough = min(self._fitting(longest), len(self._live) + len(self._waiting)) < 2 * slots.rows
        return enough and all(job.length <= slots.width for job in self._live)

    def _table(self) -> Slots | None:
        """A new table for the longest that wait; None when nobody does any more."""
        while self._waiting and self._waiting[0].state is None:
            self._read(self._rows)
        if not self._waiting or (state := self._waiting[0].state) is None:
            return None
        self._token = state.token_bytes
        longest = max(job.length for job in self._waiting)
        rows = min(self._fitting(longest), len(self._waiting))
        self._trying = self._waiting[:rows]
        return Slots(rows, self._width(longest), state, self._loaded.device)

    def _admit(self, slots: Slots) -> None:
        # Some at a time: to read one short prompt takes nearly as long as to read a few.
        if slots.rows - len(self._live) < min(len(self._waiting), max(1, slots.rows // 8)):
            return
        while self._waiting and (free := slots.rows - len(self._live)):
            state = self._waiting[0].state
            if state is None:
                self._read(free)
                continue
            slots.put(len(self._live), state)
            job = self._waiting.pop(0)
            job.state = None
            self._live.append(job)

    def _read(self, most: int) -> None:
        """Read prompts from the head of those that wait, as many as make a row."""
        pack: list[Job] = []
        tokens = 0
        for job in self._waiting[:most]:
            tokens += job.unread
            if job.state is not None or (pack and (tokens > self._pack or job.pictured)):
                break
            pack.append(job)
            if job.pictured:
                break
        self._trying = pack
        read(self._loaded, pack, self._tensors)
        self._trying = []
        self._waiting = [job for job in self._waiting if not job.pen.done]

    def _write(self, slots: Slots) -> None:
        """One token to every answer that has a row."""
        import torch

        live = self._live
        sees = slots.aim([job.length - 1 for job in live])
        positions = torch.tensor([[job.place] for job in live])
        if live[0].positions.ndim == 2:
            positions = positions.expand(3, -1, -1)
        tokens = [job.pen.kept[-1:] for job in live]
        hidden = hidden_states(self._loaded, tokens, positions, slots, sees)
        wishes = likeliest(self._loaded, hidden[:, -1])
        # From the end, so that the last row, which fills a gap, has had its token.
        for row in reversed(range(len(live))):
            live[row].pen.take(wishes[row])
            if live[row].pen.done:
                last = live.pop()
                if row < len(live):
                    slots.move(len(live), row, last.length - 1)
                    live[row] = last

    def _set_aside(self) -> None:
        """Give up the table; whoever had a row waits with what was in it."""
        if self._slots is not None:
            for row, job in enumerate(self._live):
                job.state = self._slots.lift(row, job.length - 1)
        self._waiting += self._live
        self._live, self._slots = [], None
        self._sort()

    def _back_off(self) -> None:
        """Go on with half of the rows; what does not even fit alone has no answer."""
        import torch

        trying, self._trying = self._trying, []
        busy = [*self._live, *trying]
        self._set_aside()
        if self._loaded.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(busy) > 1:
            self._rows = len(busy) // 2
            self._pack = max(1, sum(job.unread for job in trying) // 2 or self._pack)
            return
        job = (busy or self._waiting)[0]
        job.error = f"out of memory with {job.length} tokens, alone"
        self._waiting.remove(job)

    def _fitting(self, longest: int) -> int:
        return max(1, min(self._rows, int(self._memory / (self._token * self._width(longest)))))

    def _width(self, longest: int) -> int:
        return min(longest + _AHEAD, self._most)

    def _sort(self) -> None:
        # Stable: equals stay in the order in which they were asked.
        self._waiting.sort(key=lambda job: -job.length)


def _memory(device: Any) -> float:
    import torch

    if device.type == "cuda":
        return _SHARE["cuda"] * torch.cuda.mem_get_info(device)[0]
    return _SHARE["cpu"] * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
