"""p(conversion and click) from heads of p(click) and p(conversion | click)."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.cli import main
from mmtrain.errors import DataError
from mmtrain.loss import CrossEntropy
from mmtrain.spec import UNSEEN
from mmtrain.table import Table
from mmtrain.task import Binary
from mmtrain.task.given import both, conditional, entire_space, joint_logit

ROWS = 6000


def table(**columns: Sequence[str | None]) -> Table:
    frame = pl.DataFrame({name: pl.Series(cells, dtype=pl.String) for name, cells in columns.items()})
    return Table(frame, "rows.csv", np.arange(1, len(frame) + 1))


def pair(**options: Any) -> tuple[Binary, Binary]:
    click, order = (
        Binary("click", column="click", loss=CrossEntropy),
        Binary("order", column="order", loss=CrossEntropy, given="click", **options),
    )
    order.parent = click
    return click, order


def predict(head: nn.Module, vector: Tensor) -> Tensor:
    prediction: Tensor = head(vector, Fused(vector, {}, torch.ones(len(vector), dtype=torch.bool)))
    return prediction


SEEN = table(click=["0", "1", "1", "0"], order=[None, "0", "1", "0"])

# The cells of a row, and what they come to: None is no label.
CELLS: list[tuple[str | None, str | None, int | None]] = [
    ("1", "1", 1),
    ("1", "0", 0),
    ("1", None, None),
    ("0", None, 0),
    ("0", "0", 0),
    ("0", "1", 0),
    (None, "0", 0),
    (None, "1", None),
    (None, None, None),
    ("?", "1", None),
    ("?", "0", 0),
    ("1", "?", UNSEEN),
    ("0", "?", 0),
]


@pytest.mark.parametrize(("click_cell", "order_cell", "expected"), CELLS)
def test_what_the_cells_of_a_row_come_to(click_cell: str | None, order_cell: str | None, expected: int | None) -> None:
    click, order = pair()
    order.fit(SEEN)
    click.fit(SEEN)
    [target], [labelled] = order.encode(table(click=[click_cell], order=[order_cell]))
    assert (target if labelled else None) == expected


@pytest.mark.parametrize("garbage", [-1, 0, 1, 7])
def test_what_stands_in_an_unlabelled_target_tells_nothing(garbage: int) -> None:
    rng = np.random.default_rng(0)
    targets, known = rng.integers(0, 2, (2, 50)), rng.random((2, 50)) < 0.6
    assert (~known).any(1).all()
    other = np.where(known, targets, garbage)
    expected, labelled = both(targets[0], known[0], targets[1], known[1])
    found, also = both(other[0], known[0], other[1], known[1])
    assert (labelled == also).all()
    assert (expected[labelled] == found[labelled]).all()


def test_a_chain_is_positive_where_all_of_it_is() -> None:
    click, cart = pair()
    order = Binary("paid", column="paid", loss=CrossEntropy, given="order")
    order.parent = cart
    rows = table(click=["0", "1", "1", "1", "1"], order=[None, "0", "1", "1", "1"], paid=[None, None, "0", "1", None])
    for task in (order, cart, click):
        task.fit(rows)
    target, labelled = order.encode(rows)
    assert labelled.tolist() == [True, True, True, True, False]
    assert target[labelled].tolist() == [0, 0, 0, 1]
    assert order.labels.counts == {"0": 3, "1": 1}
    assert order.state()["share"] == pytest.approx(1 / 2.5)  # of the two that were paid or not, and half a row


def test_a_chain_of_logits_is_the_product_of_the_chances() -> None:
    logits = {name: torch.randn(20, dtype=torch.float64) for name in ("paid", "click", "cart", "size")}
    found = entire_space(logits, {"paid": "cart", "cart": "click"})
    chance = {name: torch.sigmoid(logit) for name, logit in logits.items()}
    assert list(found) == list(logits)
    assert found["click"] is logits["click"] and found["size"] is logits["size"]
    assert_close(torch.sigmoid(found["cart"]), chance["click"] * chance["cart"])
    assert_close(torch.sigmoid(found["paid"]), chance["click"] * chance["cart"] * chance["paid"])


def test_the_loss_is_the_log_loss_of_the_product() -> None:
    """Equation 2 of Ma et al. 2018, its second term, in NumPy."""
    _, order = pair()
    order.fit(SEEN)
    rng = np.random.default_rng(0)
    a, b, target = rng.normal(size=40), rng.normal(size=40), rng.integers(0, 2, 40)
    chance = 1 / (1 + np.exp(-a)) / (1 + np.exp(-b))
    expected = -np.where(target == 1, np.log(chance), np.log(1 - chance))
    joint = joint_logit(torch.from_numpy(a), torch.from_numpy(b))
    assert_allclose(order.loss(joint.float(), torch.from_numpy(target)).numpy(), expected, rtol=1e-5)


def test_gradients_go_into_both_heads() -> None:
    a, b = (torch.randn(6, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(joint_logit, (a, b))
    torch.sigmoid(joint_logit(a, b)).sum().backward()
    assert a.grad is not None and b.grad is not None
    chance, other = torch.sigmoid(a.detach()), torch.sigmoid(b.detach())
    assert_close(a.grad, chance * (1 - chance) * other)
    assert_close(b.grad, other * (1 - other) * chance)


FAR = [(90.0, 90.0, 90 - math.log(2)), (-90.0, -90.0, -180.0), (90.0, -90.0, -90.0), (300.0, 2.0, 2.0)]


@pytest.mark.parametrize(("a", "b", "expected"), FAR)
def test_far_out_it_is_still_exact(a: float, b: float, expected: float) -> None:
    """In single precision, where a product of probabilities is 0 or 1."""
    logits = torch.tensor([a, b], requires_grad=True)
    found = joint_logit(logits[0], logits[1])
    found.backward()
    assert_close(found.detach(), torch.tensor(expected))
    assert logits.grad is not None and logits.grad.isfinite().all()


def test_the_probability_where_there_was_a_click() -> None:
    rng = np.random.default_rng(0)
    click, follows = rng.random((2, 9))
    found = conditional(np.stack([1 - click * follows, click * follows], 1), np.stack([1 - click, click], 1))
    assert_allclose(found, follows)
    assert conditional(np.array([[1.0, 0.0], [0.4, 0.6]]), np.array([[1.0, 0.0], [0.5, 0.5]])).tolist() == [0.0, 1.0]


def test_both_have_to_differ_in_train() -> None:
    with pytest.raises(DataError, match="no labelled train row is positive in 'click' and 'order' both"):
        pair()[1].fit(table(click=["0", "1", "1"], order=["1", "0", "0"]))


def impressions() -> tuple[Tensor, np.ndarray, Table]:
    """Features (n, 2), the true chance of a click that converts, and a table. The first feature drives clicks and conversions alike."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ROWS, 2))
    click, order = 1 / (1 + np.exp(1 - 2 * features[:, 0])), 1 / (1 + np.exp(0.5 - features @ [1.5, 1.0]))
    clicked, ordered = rng.random(ROWS) < click, rng.random(ROWS) < order
    clicks = [str(int(there)) for there in clicked]
    orders = [str(int(paid)) if there else None for there, paid in zip(clicked, ordered, strict=True)]
    return torch.from_numpy(features).float(), click * order, table(click=clicks, order=orders)


def trained(tasks: list[Binary], features: Tensor, rows: Table) -> list[Tensor]:
    """The logits of linear heads at the least sum of the tasks' losses."""
    for task in tasks:
        task.fit(rows)
    encoded = [[torch.from_numpy(part) for part in task.encode(rows)] for task in tasks]
    heads = nn.ModuleList([task.head(features.shape[1], {}) for task in tasks])
    given = {task.name: task.given for task in tasks if task.given is not None}
    optimizer = torch.optim.LBFGS(heads.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def logits() -> dict[str, Tensor]:
        return entire_space({task.name: predict(head, features) for task, head in zip(tasks, heads, strict=True)}, given)

    def losses() -> Tensor:
        optimizer.zero_grad()
        found = logits()
        means = [
            task.loss(found[task.name][labelled], target[labelled]).mean() for task, (target, labelled) in zip(tasks, encoded, strict=True)
        ]
        total = torch.stack(means).sum()
        total.backward()
        return total

    optimizer.step(losses)
    found = logits()
    return [found[task.name].detach() for task in tasks]


@pytest.mark.parametrize("hidden", [False, True], ids=["seen", "hidden"])
def test_it_is_right_on_all_rows_where_a_head_of_clicked_rows_is_not(hidden: bool) -> None:
    """The heads see both features, or not that which selects. On all rows the head that learned from clicked ones is far too high."""
    features, chance, rows = impressions()
    features = features[:, 1:] if hidden else features
    [alone] = trained([Binary("order", column="order", loss=CrossEntropy)], features, rows)
    click, joint = trained(list(pair()), features, rows)
    assert float(torch.sigmoid(alone).mean()) - chance.mean() > 0.15
    assert abs(float(torch.sigmoid(joint).mean()) - chance.mean()) < 0.01
    assert (joint < click).all()
    if not hidden:  # the heads are then as the truth is, row by row
        assert np.abs(torch.sigmoid(joint).numpy() - chance).mean() < 0.01


def test_a_run_from_training_to_predictions(tmp_path: Path) -> None:
    features, _, rows = impressions()
    frame = pl.DataFrame({"first": features[:, 0].numpy(), "second": features[:, 1].numpy()}).hstack(rows.frame)[:300]
    frame.write_csv(tmp_path / "rows.csv")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shop.yaml").write_text(
        "# @package _global_\n# Clicks.\ndefaults:\n  - /source@data: table\n  - /modality@data.modalities.facts: tabular\n"
        "  - /task@tasks.order: binary\n  - /task@tasks.click: binary\n  - _self_\ndata:\n  name: shop\n"
        f"  root: {tmp_path}\n  train: rows.csv\n  val_fraction: 0.25\n  modalities:\n    facts: {{numeric: [first, second]}}\n"
        "tasks:\n  order: {column: order, given: click}\n  click: {column: click}\n"
    )
    words = ["data=shop", f"--config-dir={tmp_path}", "training.epochs=2", "training.threads=1", "tracker=none"]
    run, out = tmp_path / "run", tmp_path / "out.csv"
    assert main(["train", *words, f"data.cache={tmp_path / 'cache'}", f"hydra.run.dir={run}"]) == 0
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["tasks"]["order"]["skill"] is not None
    assert main(["predict", str(run), str(tmp_path / "rows.csv"), "--output", str(out)]) == 0
    found = pl.read_csv(out)
    assert found.columns == ["row", "order", "order.confidence", "order.p.0", "order.p.1", "order.given_click", *found.columns[6:]]
    assert_allclose(found["order.given_click"] * found["click.p.1"], found["order.p.1"], rtol=1e-9)
    assert found["order.given_click"].is_between(0, 1, closed="none").all()
