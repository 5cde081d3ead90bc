"""All that can go wrong, as one tree; each message is one sentence that holds the remedy.

ExplorerError
├── SettingsError        a flag, environment variable or folder does not fit
├── DataError            a data set cannot be read
│   └── DataMissingError     one of its files is absent
├── RecipeError          a recipe does not describe something that can be built
├── PluginError          what another package plugs in cannot be used
├── CheckpointError      a checkpoint folder cannot be opened
│   └── UnknownCheckpointError   no checkpoint has that slug
├── TrainingError        training cannot start or go on
├── ExportError          an export cannot be made or rebuilt
├── DirectionError       a direction cannot be saved or read
├── DesignError          a property, constraint or search cannot be used
├── StoreError           candidates cannot be kept or read
├── JobError             a job cannot be started or gone on with
├── NoDensityError       a density was asked of a model that has none
├── LevelError           a level of the code was asked for that the model has not
└── DeviceError          the device is unknown, absent or out of memory
"""


class ExplorerError(Exception):
    """Anything a user can cause and mend; `str(error)` is one sentence with the remedy."""


class SettingsError(ExplorerError):
    """A flag, environment variable or folder does not fit."""


class DataError(ExplorerError):
    """A data set cannot be read."""


class DataMissingError(DataError):
    """A file of a data set is absent; the message says which file goes where."""


class RecipeError(ExplorerError):
    """A recipe does not describe something that can be built."""


class PluginError(ExplorerError):
    """What another package plugs in cannot be used; the message names the package."""


class CheckpointError(ExplorerError):
    """A checkpoint folder cannot be opened; the message says what is wrong in it."""


class UnknownCheckpointError(CheckpointError):
    """No checkpoint has that slug."""


class TrainingError(ExplorerError):
    """Training cannot start or go on."""


class ExportError(ExplorerError):
    """An export cannot be made or rebuilt."""


class DirectionError(ExplorerError):
    """A direction cannot be saved or read."""


class DesignError(ExplorerError):
    """A property, constraint or search cannot be used."""


class StoreError(ExplorerError):
    """Candidates cannot be kept or read; what was to be kept is not lost by it."""


class JobError(ExplorerError):
    """A job cannot be started or gone on with."""


class NoDensityError(ExplorerError):
    """A density was asked of a model that has none, as a plain autoencoder."""


class LevelError(ExplorerError):
    """A level of the code was asked for, or a value per level given, that the model has not."""


class DeviceError(ExplorerError):
    """The device is unknown, absent or out of memory."""
