"""`mmtrain prepare`: build the stores now, so that later runs start at once."""

from rich.filesize import decimal

from mmtrain.assembly import data_parts
from mmtrain.config import Run
from mmtrain.data import cache_folder, clear, size_of
from mmtrain.data import prepare as prepare_data


def prepare(config: Run, *, clear_old: bool = False) -> None:
    """Build the stores of this configuration and print a line for each modality; with `clear_old`, remove this data set's others.

    Raises:
        UserError: the data or the configuration cannot be used.
    """
    parts = data_parts(config)
    data = prepare_data(parts.source, parts.settings, parts.modalities, parts.tasks, progress=True)
    folder = cache_folder(parts.settings)
    for modality in data.modalities:
        stores = [store for (_, name), store in data.stores.items() if name == modality]
        size = sum(size_of(store.folder) for store in stores if store.folder is not None)
        live = sum(len(store) for store in stores if store.folder is None)
        aside = f"{live:,} of them decoded on the fly, " if live else ""
        print(f"{modality}: {sum(map(len, stores)):,} rows, {aside}{decimal(size)}, in {folder}")
    for note in data.notes:
        print(f"note: {note}")
    if clear_old:
        count, size = clear(parts.settings, [store.folder for store in data.stores.values() if store.folder is not None])
        print(f"removed {count} old stores, {decimal(size)}")
