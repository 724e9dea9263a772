"""The settings can be read without torch."""

import subprocess
import sys


def test_their_module_imports_neither_torch_nor_polars() -> None:
    code = """
import importlib.util, sys
spec = importlib.util.find_spec("mmtrain").submodule_search_locations[0]
module = importlib.util.spec_from_file_location("settings", f"{spec}/data/settings.py")
sys.modules["settings"] = importlib.util.module_from_spec(module)
module.loader.exec_module(sys.modules["settings"])
print({"torch", "polars", "numpy"} & set(sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
