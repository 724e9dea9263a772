"""Guesses: what the columns of a table hold, which of them are targets, and a data configuration that says so.

A file enters; `read` finds out how it is written and gives its `Table`, `look` gives a `Guess` for each column, `plan` deals them
out to inputs, targets and what is left out, and `draft` writes the plan as commented YAML. Torch is imported only where text of
numbers is looked at.

Another kind of column: a test in `look`'s order in `column.py`, and its place in `plan.py`.
"""

from mmtrain.guess.column import Guess, look
from mmtrain.guess.draft import draft
from mmtrain.guess.form import read
from mmtrain.guess.plan import Plan, plan

__all__ = ["Guess", "Plan", "draft", "look", "plan", "read"]
