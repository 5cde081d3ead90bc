"""Every command and option has help, and it is fast."""

import pytest

from tests.support.cli import COMMAND, apart, assert_one_sentence

pytestmark = pytest.mark.usefixtures("bare_house")

VERBS = list(COMMAND.commands)


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_option_of_every_verb_is_explained(run, verb):
    code, out, err = run(*([verb] if verb else []), "--help")
    assert (code, err) == (0, "")
    command = COMMAND.commands[verb] if verb else COMMAND
    words = " ".join(out.split())
    assert command.help.split(".")[0].split("\n")[0] in words
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name
            assert max(parameter.opts, key=len) in words


def test_the_verbs_are_those_of_the_public_surface():
    assert {"app", "list", "train", "evaluate", "project", "doctor"} <= set(VERBS)
    for verb in VERBS:
        assert COMMAND.commands[verb].help, verb


QUICK = """
import sys
from explorer import cli
for verb in sys.argv[1:]:
    sys.argv = ["latent-explorer", *([verb] if verb != "-" else []), "--help"]
    try:
        cli.main()
    except SystemExit as ended:
        assert not ended.code, verb
heavy = {"torch", "streamlit", "numpy", "sklearn", "umap"} & sys.modules.keys()
assert not heavy, heavy
"""


def test_help_imports_nothing_heavy():
    ended = apart("-", *VERBS, code=QUICK)
    assert ended.returncode == 0, ended.stderr


def test_the_version_is_printed(run):
    from explorer import __version__

    assert run("--version") == (0, f"{__version__}\n", "")


@pytest.mark.slow
def test_the_module_runs_as_the_command_does():
    ended = apart("list", "--checkpoints", "/nowhere")
    assert_one_sentence(ended.returncode, ended.stdout, ended.stderr)
