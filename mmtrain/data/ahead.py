"""Work done ahead, in threads, while whoever asked for it is busy with what came before."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, count: int) -> Generator[Result, None, None]:
    """What `map` gives, in its order, with the next `count` results under way or done.

    What `work` raises is raised here, in its place. Closing waits for work under way and drops the rest; no thread is left.
    """
    with ThreadPoolExecutor(threads) as pool:
        futures = (pool.submit(work, item) for item in items)
        waiting = deque(islice(futures, 1 + count))
        try:
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(islice(futures, 1))
        finally:
            for future in waiting:
                future.cancel()
