"""Inspection: what a look at the data tells before anything is trained.

Prepared `Data` and the tables behind it enter, as `Rows`. Leave: `measures` (sizes of pictures, lengths of text and sound, and how
many are cut), `repeats` (rows of train that stand in val or test, too), `giveaways` (columns that tell a target), `balance` (how
uneven labels are), and `page`, all of it with some samples as one HTML file.

Another look: a file here with a function of `Rows`, its lines in `mmtrain/check.py`, a section in `page.py`.
"""

from mmtrain.inspection.balance import Balance, balance
from mmtrain.inspection.giveaway import Giveaway, giveaways
from mmtrain.inspection.measure import Measure, measures
from mmtrain.inspection.page import page
from mmtrain.inspection.repeat import Repeats, repeats
from mmtrain.inspection.rows import Rows

__all__ = ["Balance", "Giveaway", "Measure", "Repeats", "Rows", "balance", "giveaways", "measures", "page", "repeats"]
