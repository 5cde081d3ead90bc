"""All errors, as one tree; each message is one sentence that includes the remedy.

ExplorerError
├── SettingsError        a flag, environment variable or folder is invalid
├── AccessError          a request is refused
├── DataError            a data set cannot be read
│   └── DataMissingError     one of its files is missing
├── RecipeError          a recipe does not describe something that can be built
├── SlugError            a model cannot be called so
├── PluginError          what another package plugs in cannot be used
├── CheckpointError      a checkpoint folder cannot be opened
│   └── UnknownCheckpointError   no checkpoint has that slug
├── TrainingError        training cannot start or continue
├── ExportError          an export cannot be made or rebuilt
├── DirectionError       a direction cannot be saved or read
├── DesignError          a property, constraint or search cannot be used
├── StoreError           candidates cannot be saved or read
├── JobError             a job cannot be started or resumed
├── NoDensityError       a density was requested of a model that has none
├── LevelError           a level of the code was requested that the model lacks
└── DeviceError          the device is unknown, unavailable or out of memory
"""


class ExplorerError(Exception):
    """Anything a user can cause and fix; `str(error)` is one sentence with the remedy."""


class SettingsError(ExplorerError):
    """A flag, environment variable or folder is invalid."""


class AccessError(ExplorerError):
    """A request is refused.

    Args:
        words: Why, in one sentence.
        status: Status of the answer over HTTP.
    """

    def __init__(self, words: str, status: int = 403) -> None:
        super().__init__(words)
        self.status = status


class DataError(ExplorerError):
    """A data set cannot be read."""


class DataMissingError(DataError):
    """A file of a data set is missing; the message says which file goes where."""


class RecipeError(ExplorerError):
    """A recipe does not describe something that can be built."""


class SlugError(ExplorerError):
    """A name cannot be that of a model; the message suggests another."""


class PluginError(ExplorerError):
    """What another package plugs in cannot be used; the message names the package."""


class CheckpointError(ExplorerError):
    """A checkpoint folder cannot be opened; the message says what is wrong with it."""


class UnknownCheckpointError(CheckpointError):
    """No checkpoint has that slug."""


class TrainingError(ExplorerError):
    """Training cannot start or continue."""


class ExportError(ExplorerError):
    """An export cannot be made or rebuilt."""


class DirectionError(ExplorerError):
    """A direction cannot be saved or read."""


class DesignError(ExplorerError):
    """A property, constraint or search cannot be used."""


class StoreError(ExplorerError):
    """Candidates cannot be saved or read; unsaved picks are not lost."""


class JobError(ExplorerError):
    """A job cannot be started or resumed."""


class NoDensityError(ExplorerError):
    """A density was requested of a model that has none, such as a plain autoencoder."""


class LevelError(ExplorerError):
    """The model lacks a requested level, or has another number of levels than values given."""


class DeviceError(ExplorerError):
    """The device is unknown, unavailable or out of memory."""
