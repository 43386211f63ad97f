"""Random numbers that are the same wherever the transaction runs again.

Built on the C half of `random.Random`, whose Python half draws in hashlib, bisect, os and more
for distributions that few reducers use.
"""

from __future__ import annotations

from _random import Random as _Twister

from ._light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

    from ._light import T


class Rng(_Twister):
    """Pseudo-random numbers with the names of the module `random`.

    Seeded by the time of the transaction, which callers can see: for games and samples, not for
    secrets. `random()` gives a float from 0 to 1, `getrandbits(n)` a number of n bits.
    """

    def below(self, limit: int) -> int:
        """A number from 0 to `limit - 1`, each as likely. Raises ValueError for less than 1."""
        if limit < 1:
            raise ValueError("there is no number to choose from")
        bits = (limit - 1).bit_length()
        number = self.getrandbits(bits) if bits else 0
        while number >= limit:
            number = self.getrandbits(bits)
        return number

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """One of `range(start, stop, step)`."""
        numbers = range(start) if stop is None else range(start, stop, step)
        return numbers[self.below(len(numbers))]

    def randint(self, first: int, last: int) -> int:
        """A number from `first` to `last`, both included."""
        return first + self.below(last - first + 1)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def choice(self, items: Sequence[T]) -> T:
        """One of the items. Raises ValueError when there are none."""
        return items[self.below(len(items))]

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Bring a list into another order, in place."""
        for place in range(len(items) - 1, 0, -1):
            other = self.below(place + 1)
            items[place], items[other] = items[other], items[place]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items. Raises ValueError when there are fewer."""
        pool = list(items)
        if not 0 <= count <= len(pool):
            raise ValueError(f"{count} of {len(pool)} items")
        return [pool.pop(self.below(len(pool))) for _ in range(count)]

    def randbytes(self, count: int) -> bytes:
        return self.getrandbits(count * 8).to_bytes(count, "little") if count else b""
