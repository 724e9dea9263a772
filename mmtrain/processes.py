"""Several processes, as `torchrun` starts them: who this one is, and what all have together. The one place that knows process groups.

Each process takes its share of every batch. Sums over all of them keep them one training: counts, losses, gradients and what
balancers compare are those of the whole batch, so that every process makes the same step. All functions but `rank`, `local_rank`,
`count` and `share` have to be called by all processes, in the same order; one process alone gets back what it gave.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from mmtrain import checkpoint
from mmtrain.errors import SaidElsewhereError

PATIENCE = timedelta(days=1)  # one may prepare data for hours; that it has ended, the others learn at once
FAILED, WHY = "mmtrain/failed", "mmtrain/why"  # keys of the store that the processes share
INTERRUPTED = "interrupted"
BUCKET = 2**24  # numbers that go from process to process in one piece, and are copied for it

Key = TypeVar("Key", bound=Hashable)
_stores: list[Any] = []  # that of the group, while there is one


def rank() -> int:
    """The number of this process, from 0; the first one writes and speaks for all."""
    return distributed.get_rank() if count() > 1 else 0


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def local_rank() -> int:
    """The number of this process among those of its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def share() -> slice:
    """Which rows of a batch are this process's."""
    return slice(rank(), None, count())


@contextmanager
def joined() -> Iterator[None]:
    """Inside it the processes that torchrun has started are one group.

    Where one fails, or is interrupted, all others end too, as soon as they wait for it.

    Raises:
        SaidElsewhereError: in place of what went wrong here, where another process failed before: it has said why.
    """
    from torch.distributed.rendezvous import rendezvous  # not in every build of torch

    store, number, size = next(rendezvous("env://"))
    distributed.init_process_group(store=store, rank=number, world_size=size, timeout=PATIENCE)
    _stores.append(store)
    try:
        yield
    except BaseException as error:
        failed = 2
        with suppress(RuntimeError):  # the process that holds the store is gone
            failed = store.add(FAILED, 1)
            if failed == 1:
                store.set(WHY, INTERRUPTED if isinstance(error, KeyboardInterrupt) else str(error))
        if failed > 1:
            raise SaidElsewhereError from error
        raise
    distributed.destroy_process_group()
    _stores.clear()


def failure() -> str | None:
    """Why another process has ended, if one has; INTERRUPTED where it was told to."""
    for store in _stores:
        with suppress(RuntimeError):
            return store.get(WHY).decode() if store.check([WHY]) else None
    return None


@contextmanager
def first_before_others() -> Iterator[None]:
    """What the first process makes inside, the others find when they come to it."""
    if rank() > 0:
        sums([0])
    yield
    if rank() == 0:
        sums([0])


def sums(numbers: Sequence[int]) -> list[int]:
    """Number by number the sum over all processes; never waits for a GPU."""
    if count() == 1:
        return list(numbers)
    totals = torch.tensor(numbers, dtype=torch.int64)
    distributed.all_reduce(totals)
    return [int(total) for total in totals]


def added(tensor: Tensor) -> Tensor:
    """The sum over all processes."""
    if count() == 1:
        return tensor
    total = tensor.detach().clone()
    distributed.all_reduce(total)
    return total


def whole(shares: Mapping[Key, Tensor], keys: Sequence[Key], zero: Tensor) -> dict[Key, Tensor]:
    """Scalars that have the value of the whole batch, the sum over all processes, but the graph of this process's share.

    So whatever follows from values is the same everywhere, and gradients add up to those of the whole batch. `keys` are all that there
    may be, `zero` is a scalar of their kind. What only other processes have is here too, with a graph that leads nowhere.
    """
    if count() == 1:
        return dict(shares)
    known = sums([key in shares for key in keys] + [key in shares and shares[key].requires_grad for key in keys])
    values = added(torch.stack([shares[key].detach().to(zero) if key in shares else zero for key in keys]))
    nowhere = zero.detach().clone().requires_grad_()
    found = {}
    for key, value, there, learns in zip(keys, values.unbind(), known[: len(keys)], known[len(keys) :], strict=True):
        part = shares[key] if key in shares and shares[key].requires_grad else nowhere
        if there:
            found[key] = value + (part - part.detach()) if learns else value  # exactly the value
    return found


def summed(tensors: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor | None]:
    """Tensor by tensor the sum over all processes; None stays None where no process has one. `like` are tensors of the same shapes."""
    if count() == 1:
        return list(tensors)
    there = sums([tensor is not None for tensor in tensors])
    found: list[Tensor | None] = [None] * len(tensors)
    used = [number for number, processes in enumerate(there) if processes]
    given = [torch.zeros_like(like[number]) if (one := tensors[number]) is None else one for number in used]
    for part in _buckets(given):
        flat = torch.cat([given[place].reshape(-1) for place in part])
        distributed.all_reduce(flat)
        for place, piece in zip(part, flat.split([given[place].numel() for place in part]), strict=True):
            found[used[place]] = piece.view_as(given[place])
    return found


def add_gradients(parameters: Sequence[Tensor]) -> None:
    """Give each parameter the sum of its gradients in all processes, once a step.

    In place of DistributedDataParallel, whose hooks would fire in every backward pass: a step has several, one a micro-batch or a
    task, and what balancers ask of autograd passes by hooks. A sum after the last one is exact with each of them; a parameter that no
    process used has no gradient, so that nothing decays it. What is lost is that sums wait for the backward pass to end.
    """
    if count() > 1:
        for parameter, total in zip(parameters, summed([parameter.grad for parameter in parameters], parameters), strict=True):
            parameter.grad = total


@torch.no_grad()
def spread(tensors: Iterable[Tensor]) -> None:
    """Give all processes the first one's numbers, in place."""
    given = list(tensors)
    for part in _buckets(given) if count() > 1 else ():
        flat = torch.cat([given[place].reshape(-1) for place in part])
        distributed.broadcast(flat, 0)
        for place, piece in zip(part, flat.split([given[place].numel() for place in part]), strict=True):
            given[place].copy_(piece.view_as(given[place]))


def of_first(make: Callable[[], Any]) -> Any:
    """What the first process makes; all get it. It may be what a checkpoint may hold."""
    if count() == 1:
        return make()
    data = _tensor(make()) if rank() == 0 else torch.zeros(0, dtype=torch.uint8)
    [size] = sums([len(data)])
    data = data if rank() == 0 else data.new_zeros(size)
    distributed.broadcast(data, 0)
    return checkpoint.unpack(data.numpy().tobytes())


def gathered(state: Any) -> list[Any]:
    """What each process gave, in their order, for the first one; for the others nothing. It may be what a checkpoint may hold."""
    if count() == 1:
        return [state]
    data = _tensor(state)
    sizes = sums([len(data) if number == rank() else 0 for number in range(count())])
    padded = data.new_zeros(max(sizes))
    padded[: len(data)] = data
    found = [torch.empty_like(padded) for _ in sizes] if rank() == 0 else None
    distributed.gather(padded, found)
    return [checkpoint.unpack(one[:size].numpy().tobytes()) for one, size in zip(found or (), sizes, strict=False)]


def notes(model: nn.Module) -> list[str]:
    """What to know of a model whose batches are shared out."""
    if count() > 1 and any(name.endswith("running_mean") for name, _ in model.named_buffers()):
        return [f"batch normalisation sees each process's share of a batch, 1 / {count()} of its rows: figures depend on their number"]
    return []


def _tensor(state: Any) -> Tensor:
    return torch.frombuffer(bytearray(checkpoint.pack(state)), dtype=torch.uint8)


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[int]]:
    """Places of tensors of one type that are sent together."""
    for dtype in sorted({tensor.dtype for tensor in tensors}, key=str):
        bucket: list[int] = []
        size = 0
        for place in (place for place, tensor in enumerate(tensors) if tensor.dtype == dtype):
            if size >= BUCKET:
                yield bucket
                bucket, size = [], 0
            bucket.append(place)
            size += tensors[place].numel()
        yield bucket
