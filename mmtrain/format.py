"""What the suffix of a table's file says. Imports no polars, so that the configuration check stays fast."""

from mmtrain.errors import DataError, Problem

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": None}  # None: the user says it
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")


def separator_of(suffix: str, separator: str | None, where: str) -> str:
    """What separates the cells of a text file with this lower-case suffix: the user's `separator`, else the usual one.

    Raises:
        DataError: the suffix is not known, or does not say; told of `where`.
    """
    if suffix not in SEPARATORS:
        allowed = ", ".join([*SEPARATORS, *JSON_LINES, *PARQUET])
        raise DataError(Problem(where, f"the suffix '{suffix}' is not known", f"allowed: {allowed}"))
    found = separator or SEPARATORS[suffix]
    if found is None:
        raise DataError(Problem(where, f"what separates the cells of a {suffix} file is not known", "set data.separator"))
    return found
