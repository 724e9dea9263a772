"""The commands as a user types them: their words, their flags, their help. Imports nothing that `--help` would have to wait for."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmtrain.errors import ConfigError, Problem, nearest


@dataclass(frozen=True)
class Flag:
    """A word that begins with a dash. `value` names what follows it, if need be one of `choices`; a flag without one is a switch."""

    name: str
    purpose: str
    value: str = ""
    short: str = ""
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How help shows it."""
        return f"{self.short}, {self.name}" if self.short else f"{self.name} {self.value}".rstrip()


HELP = Flag("--help", "show this and end", short="-h")
DEBUG = Flag("--debug", "show the traceback of an error")
CONFIG_DIR = Flag("--config-dir", "a folder with YAML files of your own, laid out like mmtrain's", "DIR")
TRUST = Flag("--trust", "build parts from this module of yours; what a run folder trusts does not count", "MODULE")
PER_CLASS = Flag("--per-class", "precision, recall and F1 of every label too, the most frequent first")
SUBSETS = Flag("--subsets", "with fewer modalities: every subset of them, and ever more empty cells; subsets.html in the run folder")
JOB = Flag("--cfg", "print the completed configuration and end: --cfg job", "job", choices=("job",))


@dataclass(frozen=True)
class Command:
    """One command. `words` are the names of what it takes beside flags; `OVERRIDE...` and `[WORD]` as in its usage line."""

    name: str
    words: tuple[str, ...]
    summary: str
    about: str
    examples: tuple[str, ...]
    flags: tuple[Flag, ...] = ()

    @property
    def help(self) -> str:
        """What `--help` prints."""
        flags = (*self.flags, DEBUG, HELP)
        width = max(len(flag.label) for flag in flags)
        lines = [
            f"usage: mmtrain {self.name} {' '.join(self.words)} [FLAGS]",
            "",
            self.about,
            "",
            *(f"  {line}" for line in self.examples),
            "",
        ]
        return "\n".join([*lines, *(f"{flag.label:<{width}}  {flag.purpose}" for flag in flags)])

    def parse(self, words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
        """Tell words from flags, which may stand anywhere; a flag has the values that were given, a switch an empty one.

        Raises:
            ConfigError: an unknown flag, a flag without its value or with one that it does not know, or too many or too few words.
        """
        known = {name: flag for flag in (*self.flags, DEBUG, HELP) for name in (flag.name, flag.short) if name}
        left, plain = list(words), []
        given: dict[str, list[str]] = {}
        while left:
            word = left.pop(0)
            if not word.startswith("-"):
                plain.append(word)
                continue
            name, equals, value = word.partition("=")
            flag = known.get(name)
            if flag is None or (equals and not flag.value):
                raise ConfigError(
                    Problem(name, f"mmtrain {self.name} has no such flag", nearest(name, {flag.name for flag in known.values()}))
                )
            if flag.value and not equals:
                if not left:
                    raise ConfigError(Problem(name, f"{flag.value} has to follow"))
                value = left.pop(0)
            if flag.choices and value not in flag.choices:
                raise ConfigError(Problem(name, f"'{value}' is not a choice", nearest(value, flag.choices)))
            given.setdefault(flag.name, []).append(value)
        self._count(plain)
        return plain, given

    def _count(self, plain: Sequence[str]) -> None:
        """The command gets as many words as it takes."""
        needed = [word for word in self.words if not word.startswith("[")]
        if len(plain) < len(needed):
            raise ConfigError(
                Problem(f"mmtrain {self.name}", f"{needed[len(plain)]} is not given", f"usage: mmtrain {self.name} {' '.join(self.words)}")
            )
        if len(plain) > len(self.words) and not self.words[-1].endswith("...]"):
            raise ConfigError(
                Problem(
                    f"mmtrain {self.name}",
                    f"'{plain[len(self.words)]}' is one word too many",
                    f"usage: mmtrain {self.name} {' '.join(self.words)}",
                )
            )


OVERRIDES = ("[OVERRIDE...]",)
COMMANDS = {
    command.name: command
    for command in (
        Command(
            "train",
            OVERRIDES,
            "train a model; -m trains once with each listed value",
            "Train one model over all modalities and tasks of the data, and write a run folder.\n"
            "An override chooses a part (fusion=sum) or sets a value (optimizer.lr=3e-4); `mmtrain list` shows the choices.",
            (
                "mmtrain train                                          generated data, about a minute",
                "mmtrain train data=avdigits tasks.digit.weight=2       real data; the task digit counts twice",
                "mmtrain train -m fusion=concat,sum seed=0,1,2          six runs and a table",
                "mmtrain train --resume outputs/scenes/RUN              go on with a run that was stopped",
                "torchrun --nproc-per-node 2 -m mmtrain train           share each batch out among two processes",
            ),
            (
                Flag("--multirun", "train once with each combination of the listed values", short="-m"),
                Flag("--workers", "with -m: so many jobs at once; give each its share of the cores with training.threads", "N"),
                Flag("--resume", "go on with a run; only training.epochs, training.steps, training.device and data.root may change", "RUN"),
                Flag("--from", "repeat a run, with other values where given", "RUN"),
                CONFIG_DIR,
                TRUST,
                JOB,
                Flag("--info", "Hydra's view of the configuration: --info defaults-tree", "WHAT"),
                Flag("--hydra-help", "Hydra's own help"),
            ),
        ),
        Command(
            "init",
            ("TABLE",),
            "write the YAML of your own table, from what its columns look like",
            "Guess what the columns of a table hold (CSV, TSV, JSON lines, Parquet) and write configs/data/NAME.yaml, with comments.\n"
            "Which column to predict is known to you alone: name each with --target.",
            ("mmtrain init products.csv --target category --target price",),
            (
                Flag("--target", "a column to predict; may be given several times", "COLUMN"),
                Flag("--output", "the file to write, in a folder called data (default: configs/data/NAME.yaml)", "FILE"),
            ),
        ),
        Command(
            "check",
            OVERRIDES,
            "everything but the training: configuration, data, one batch",
            "Check the configuration, read the data, build the model and push one batch through it. Says what is in the data: labels,\n"
            "lengths, empty cells, rows of train that stand in test, columns that give a target away; and shows some rows on a page.",
            ("mmtrain check data=avdigits model=fusion_sum",),
            (Flag("--output", "the page to write (default: check.html)", "FILE"), CONFIG_DIR, JOB),
        ),
        Command(
            "prepare",
            OVERRIDES,
            "build the store of the data now",
            "Decode and fit the data once, so that training can start at once.",
            ("mmtrain prepare data=avdigits", "mmtrain prepare data=avdigits --clear"),
            (Flag("--clear", "remove old stores and say how large they were"), CONFIG_DIR, JOB),
        ),
        Command(
            "evaluate",
            ("RUN", *OVERRIDES),
            "metrics per task of a trained run",
            "Score the best weights of a run on a split of its data. Where the data have moved since, an override says where to:\n"
            "data.root, data.train, data.val or data.test.",
            (
                "mmtrain evaluate outputs/scenes/RUN --split val",
                "mmtrain evaluate outputs/scenes/RUN --per-class",
                "mmtrain evaluate outputs/scenes/RUN --subsets",
                "mmtrain evaluate outputs/avdigits/RUN data.root=FOLDER",
            ),
            (Flag("--split", "train, val or test (default: test)", "SPLIT", choices=("train", "val", "test")), PER_CLASS, SUBSETS, TRUST),
        ),
        Command(
            "predict",
            ("RUN", "FILE"),
            "raw rows in, your own labels and probabilities out",
            "Predict every row of a table. Labels may be absent and cells empty; the training data is not needed.",
            ("mmtrain predict outputs/scenes/RUN new.csv --output predictions.csv",),
            (
                Flag("--output", "the CSV or Parquet file to write", "FILE"),
                Flag("--root", "where relative paths in the table start (default: the table's own folder)", "DIR"),
                TRUST,
            ),
        ),
        Command(
            "bench",
            OVERRIDES,
            "what a step costs beside one of a bare loop",
            "Time our loop against a bare hand-written one, and print their ratio: same model, batches, optimizer and precision.",
            (
                "mmtrain bench data=avdigits training.batch_size=128",
                "mmtrain bench fusion=gated --against fusion=concat",
                "mmtrain bench --feed data=grocery",
            ),
            (
                Flag("--against", "time a step of this configuration against one with another part; once a word", "WORD"),
                Flag("--feed", "time batches from the store against decoding the files of the same rows"),
                CONFIG_DIR,
                JOB,
            ),
        ),
        Command(
            "list",
            ("[GROUP]",),
            "every choice with one line; with a group, its options too",
            "Show what can be chosen.",
            ("mmtrain list", "mmtrain list fusion", "mmtrain list encoder/image"),
            (CONFIG_DIR,),
        ),
    )
}


def overview() -> str:
    """What `mmtrain --help` prints."""
    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            "usage: mmtrain COMMAND ...",
            "",
            "Train one model over any number of modalities and tasks, chosen in YAML.",
            "",
            *(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()),
            "",
            "  mmtrain train                       on generated data, about a minute",
            "  mmtrain COMMAND --help              more on one of them",
            "  mmtrain --version",
            "",
            "exit code: 0; 2 a mistake of yours; 1 anything else; 130 interrupted",
        ]
    )


def command(name: str) -> Command:
    """The command of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in COMMANDS:
        raise ConfigError(Problem(name, "there is no such command", nearest(name, COMMANDS)))
    return COMMANDS[name]
