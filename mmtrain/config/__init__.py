"""Configuration: words of the command line and YAML files in, one checked and complete `Run` of plain values out.

Follow `load.load`: `override` sorts the words, `compose` has Hydra join the files, `plain` takes OmegaConf out, `check`
holds every part against its `signature`, which is read from source text without importing the part (so nothing here imports
torch), and `columns` looks into the headers of the tables. `build` makes objects of the result. Nothing else knows Hydra.
"""

from mmtrain.config.build import build
from mmtrain.config.catalog import Catalog, Choice
from mmtrain.config.load import RESUMABLE, Composed, again, load, load_run, load_sweep
from mmtrain.config.run import Node, Run

__all__ = ["RESUMABLE", "Catalog", "Choice", "Composed", "Node", "Run", "again", "build", "load", "load_run", "load_sweep"]
