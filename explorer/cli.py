"""The `latent-explorer` command line; user errors end in one sentence and exit code 2."""

import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from explorer import __version__, settings, slugs
from explorer.errors import DataError, ExplorerError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
asked = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
app.add_typer(asked, name="property", help="Have a classifier or regressor say what it sees.")
# Paths, names and reasons are shown as they are: brackets in them are no markup, `:x:` no emoji.
out, err = (
    Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
    for stderr in (False, True)
)

Host = Annotated[
    str,
    typer.Option(help="Address to listen on; 0.0.0.0 accepts connections from other machines."),
]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]
Checkpoints = Annotated[
    Path | None, typer.Option(help="Folder of checkpoints to use instead of the shipped one.")
]
Data = Annotated[Path | None, typer.Option(help="Data directory, in torchvision's layout.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")]
BasePath = Annotated[
    str | None,
    typer.Option(help="Path below which a proxy shows the app, if it passes that path on."),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(help="Further name or address of this server; repeat it for several."),
]
AllowWork = Annotated[
    bool,
    typer.Option(
        "--allow-work", help="Let visitors train, also where others can reach the server."
    ),
]
Slug = Annotated[str, typer.Argument(help="A checkpoint's name, as in `latent-explorer list`.")]
Ship = Annotated[bool, typer.Option("--ship", help="Write into the checkpoint's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run the command line."""
    try:
        app()
    except ExplorerError as error:
        err.print(f"latent-explorer: {error}", style="red")
        sys.exit(2)


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    host: Host = "localhost",
    port: Port = 8501,
    checkpoints: Checkpoints = None,
    data: Data = None,
    device: Device = "auto",
    browser: Browser = True,
    base_path: BasePath = None,
    allow_host: AllowHost = None,
    allow_work: AllowWork = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Explore, steer and sample the latent spaces of models with learned priors.

    Without a command, opens the app in the browser.
    """
    if version:
        out.print(__version__)
    elif context.invoked_subcommand is None:
        open_app(host, port, checkpoints, data, device, browser, base_path, allow_host, allow_work)


@app.command("app")
def open_app(
    host: Host = "localhost",
    port: Port = 8501,
    checkpoints: Checkpoints = None,
    data: Data = None,
    device: Device = "auto",
    browser: Browser = True,
    base_path: BasePath = None,
    allow_host: AllowHost = None,
    allow_work: AllowWork = False,
) -> None:
    """Open the app in the browser."""
    names = ",".join(allow_host or ()) or None
    environment = settings.variables(
        checkpoints=checkpoints,
        data=data,
        device=device,
        allow_host=names,
        allow_work="1" if allow_work else None,
    )
    if device != "auto":
        from explorer.devices import resolve_device

        resolve_device(device)
    from explorer.ui.entry.server import launch

    launch(host, port, environment, browser, base_path)


@app.command("list")
def list_checkpoints(as_json: Json = False, checkpoints: Checkpoints = None) -> None:
    """List every checkpoint with its log-likelihood; broken ones with the reason."""
    from explorer import catalogue, listing

    entries = catalogue(_existing(checkpoints, "checkpoints"))
    if as_json:
        print(json.dumps([entry.as_json() for entry in entries], indent=1))  # noqa: T201 - the output itself
        return
    width = out.width if out.is_terminal else None
    for line in listing.lines(entries, width):
        out.print(line.text, style=line.style)
    if not entries:
        out.print("No checkpoints yet; train one with `latent-explorer train RECIPE.json`.")


@app.command()
def train(
    recipe: Annotated[
        Path, typer.Argument(help="A recipe, for example a checkpoint's config.json.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Validate the recipe and print it with all defaults.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out.")] = False,
    init: Annotated[
        str | None, typer.Option(help="Checkpoint whose weights to start from.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after this many minutes.", min=0)
    ] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the new checkpoint.")
    ] = None,
    data: Data = None,
    download: Annotated[
        bool, typer.Option("--download", help="Let torchvision download the data.")
    ] = False,
    device: Device = "auto",
    samples: Annotated[
        int,
        typer.Option(help="Importance samples per test sample in the final evaluation.", min=1),
    ] = 500,
    threads: Annotated[int | None, typer.Option(help="Threads to use.", min=1)] = None,
    skip_broken: Annotated[
        bool,
        typer.Option("--skip-broken", help="Go on without files of yours that cannot be read."),
    ] = False,
) -> None:
    """Train a model from a recipe; write a checkpoint with its metrics, latent map and card."""
    import torch

    from explorer import checkpoint, publishing, training
    from explorer.config import read_recipe
    from explorer.data.named import load_named, skipping
    from explorer.devices import limit_threads, resolve_device
    from explorer.training_loop import Progress

    config = read_recipe(recipe)
    if skip_broken:
        config = config.model_copy(update={"data": skipping(config.data)})
    if dry_run:
        try:
            data_set = load_named(config.data, _data_root(data), beside=recipe.parent)
            config = config.settled(data_set).model_copy(update={"sketch": config.sketch})
            for note in data_set.notes:
                err.print(note)  # what is printed is the recipe
        except DataError:
            pass  # what only the data determine stays open
        out.print_json(config.model_dump_json())
        return
    limit_threads()
    if threads:
        torch.set_num_threads(threads)
    device = resolve_device(device)
    slug = slugs.name_of(recipe.parent) if recipe.name == checkpoint.CONFIG else recipe.stem
    own = settings.current().user / "checkpoints"
    target = out_folder or own / slug
    hides = target.resolve().parent == own.resolve()
    shipped = settings.current().checkpoints
    slugs.require(target, [item.name for item in shipped.iterdir()] if hides else ())
    data_set = load_named(config.data, _data_root(data), beside=recipe.parent, download=download)
    for note in data_set.notes:
        out.print(note)
    start = checkpoint.load(init) if init else None
    with _progress() as bar:
        task = bar.add_task("training", total=config.training.epochs)

        def report(progress: Progress) -> None:
            now = f"validation ELBO {progress.valid_elbo:.2f}  best {progress.best:.2f}"
            said = f"epoch {progress.epoch}  {now}"
            bar.update(task, completed=progress.epoch, description=said)
            if not out.is_terminal:
                bar.console.print(said, f"{progress.seconds:.0f} s")

        training.train(
            config,
            data_set,
            target,
            resume=resume,
            init=start,
            minutes=minutes,
            device=device,
            beside=recipe.parent,
            report=report,
        )
    with _progress() as bar:
        opened = publishing.publish(
            target, data_set, samples=samples, device=device, report=_stages(bar)
        )
    out.print(f"Wrote {target}.")
    _print_metrics(opened.metrics)


@app.command("data")
def look_at_data(
    path: Annotated[Path, typer.Argument(help="A folder of pictures, a .npy or a .npz file.")],
    side: Annotated[
        int | None, typer.Option(help="Longer side of a sample, in pixels.", min=8, max=128)
    ] = None,
    channels: Annotated[int | None, typer.Option(help="1: grey, 3: colour.")] = None,
    prior: Annotated[
        str, typer.Option(help="standard, mog, vamp, or none for an autoencoder.")
    ] = "vamp",
    latent: Annotated[int, typer.Option(help="Latent units.", min=1, max=512)] = 16,
    time: Annotated[str, typer.Option(help="minute, ten or best.")] = "ten",
    recipe: Annotated[
        Path | None, typer.Option(help="File to write the suggested recipe to.")
    ] = None,
) -> None:
    """Look at your own pictures as a model will see them, and suggest a recipe for them."""
    from explorer import checkpoint, incoming, suggestions
    from explorer.devices import limit_threads

    offered = [name for name in suggestions.PRIORS if name != "xvae"]
    pace = next((name for name in suggestions.MINUTES if name == time), None)
    if prior not in offered or pace is None:
        raise typer.BadParameter(
            f"--prior is one of {', '.join(offered)}, "
            f"--time one of {', '.join(suggestions.MINUTES)}."
        )
    limit_threads()
    place = path.resolve()
    found = incoming.look(str(place), place)
    if side is not None or channels is not None:
        shape = found.data.sketch.shape[1:]
        side = side or max(shape)
        height, width = (max(1, round(side * each / max(shape))) for each in shape)
        found = incoming.look(
            str(place),
            place,
            height=height,
            width=width,
            channels=channels or found.config.channels,
        )
    for line in incoming.lines(found):
        out.print(line)
    suggested = suggestions.suggest(found.config, found.data, prior, latent, pace)
    out.print(suggestions.words(suggested, found.data, pace))
    if recipe is None:
        out.print("Write it with `--recipe FILE`; train it with `latent-explorer train FILE`.")
        return
    checkpoint.write(recipe, (suggested.model_dump_json(indent=1) + "\n").encode())
    out.print(f"Wrote {recipe}; train it with `latent-explorer train {recipe}`.")


@app.command("import")
def import_model(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A folder with encoder.onnx, decoder.onnx and model.json, or one of diffusers."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the model; by default that of the folder.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Pictures for a model of diffusers, a folder or an array.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder of checkpoints to write it into.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Importance samples per test sample.", min=1)] = 100,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a model of it.")] = False,
) -> None:
    """Make a checkpoint of two ONNX graphs, or of a model of diffusers; nothing is unpickled."""
    from explorer.devices import limit_threads
    from explorer.foreign import import_folder

    limit_threads()
    with _progress() as bar:
        opened = import_folder(
            folder, name=name, pictures=pictures, folder=to, importance_samples=samples,
            replace=replace, report=_stages(bar),
        )  # fmt: skip
    out.print(f"Wrote {opened.folder}.")
    _print_metrics(opened.metrics)


@app.command()
def fit(
    slug: Slug,
    prior: Annotated[
        str,
        typer.Option(
            help="standard, moments, covariance, mixture, hypersphere, flow, second-stage or vamp."
        ),
    ] = "mixture",
    name: Annotated[
        str | None, typer.Option(help="Name of the new model; by default SLUG-fit-PRIOR.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder of checkpoints to write it into.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Minutes for encoding and fitting.", min=0)] = 3.0,
    samples: Annotated[int, typer.Option(help="Importance samples per test sample.", min=1)] = 100,
    data: Data = None,
) -> None:
    """Fit a prior to the codes of a trained model, which stays as it was."""
    from explorer import checkpoint
    from explorer.data.named import load_named
    from explorer.devices import limit_threads
    from explorer.fitting import KINDS, fit_prior

    kind = next((item for item in KINDS if item == prior), None)
    if kind is None:
        raise typer.BadParameter(f"“{prior}” cannot be fitted; choose from {', '.join(KINDS)}.")
    opened = checkpoint.load(slug)
    limit_threads()
    data_set = load_named(opened.config.data, _data_root(data))
    _warn(opened.changes(data_set))
    with _progress() as bar:
        found = fit_prior(
            opened, kind, name=name, data=data_set, minutes=minutes,
            importance_samples=samples, folder=to, report=_stages(bar),
        )  # fmt: skip
    out.print(f"Wrote {found.folder}.")
    assert found.config.fitted is not None
    out.print(found.config.fitted.words)
    _print_metrics(found.metrics)


@app.command()
def evaluate(
    slug: Slug,
    samples: Annotated[int, typer.Option(help="Importance samples per test sample.", min=1)] = 500,
    limit: Annotated[
        int | None,
        typer.Option(
            help="Use only this many test samples, drawn at random; stored only with --ship.",
            min=2,
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="Measure only this: likelihood, units, fidelity, alignment, features, "
            "smoothness; only on request: matching, downstream."
        ),
    ] = None,
    as_json: Json = False,
    data: Data = None,
    device: Device = "auto",
    ship: Ship = False,
) -> None:
    """Evaluate a checkpoint on its test split; results are stored in the user folder.

    An interrupted run is resumed.
    """
    from explorer import checkpoint, metrics, publishing
    from explorer.data.named import load_named
    from explorer.devices import limit_threads, resolve_device
    from explorer.metrics.measures import ON_REQUEST, PARTS

    every = (*PARTS, *ON_REQUEST)
    parts = tuple(name for name in every if name in part) if part else PARTS
    if unknown := set(part or ()) - set(every):
        raise typer.BadParameter(f"unknown part “{min(unknown)}”; choose from {', '.join(every)}.")

    opened = checkpoint.load(slug)
    device = resolve_device(device)
    limit_threads()
    data_set = load_named(opened.config.data, _data_root(data))
    _warn(opened.changes(data_set))
    with _progress() as bar:
        stages = _stages(bar)
        if limit is not None and not ship:
            found = metrics.evaluate(
                opened,
                data_set,
                samples=samples,
                limit=limit,
                device=device,
                parts=parts,
                report=stages,
            ).metrics
        else:
            folder = opened.folder if ship else checkpoint.results_folder(opened.hash)
            found = publishing.measure(
                opened,
                data_set,
                folder,
                samples=samples,
                limit=limit,
                device=device,
                parts=parts,
                report=stages,
            )
    if ship:
        checkpoint.write(
            opened.folder / checkpoint.CARD, publishing.card(checkpoint.load(slug)).encode()
        )
    if as_json:
        ready = {name: metric.model_dump(exclude_none=True) for name, metric in found.items()}
        print(json.dumps({"slug": opened.slug, "hash": opened.hash, "metrics": ready}, indent=1))  # noqa: T201
    else:
        _print_metrics(found)


@app.command()
def features(
    slug: Slug,
    data: Data = None,
    ship: Annotated[
        bool, typer.Option("--ship", help="Write into the shipped checkpoints' folder.")
    ] = False,
) -> None:
    """Train a data set's feature network, used by the Fréchet and kernel distances."""
    from explorer import checkpoint
    from explorer.data.named import load_named
    from explorer.devices import limit_threads
    from explorer.metrics.features import save_features, train_features

    opened = checkpoint.load(slug)
    if opened.config.data.kind == "files":
        raise DataError(
            "The feature network needs class labels, which your own files lack; "
            "choose another data set."
        )
    limit_threads()
    network, accuracy = train_features(load_named(opened.config.data, _data_root(data)))
    folder = opened.folder.parent if ship else settings.current().user / "checkpoints"
    path = save_features(network, accuracy, folder, opened.config.data.kind)
    out.print(
        f"Wrote {path}; classifier accuracy: {100 * accuracy:.1f} %.",
    )


@app.command()
def project(slug: Slug, data: Data = None) -> None:
    """Build a checkpoint's latent map, and the training codes its samples are compared with."""
    from explorer import checkpoint, publishing
    from explorer.data.named import load_named

    opened = checkpoint.load(slug)
    folder = checkpoint.results_folder(opened.hash)
    with _progress() as bar:
        task = bar.add_task("reading data", total=None)
        data_set = load_named(opened.config.data, _data_root(data))
        _warn(opened.changes(data_set))
        publishing.project(
            opened, data_set, folder, lambda stage: bar.update(task, description=stage)
        )
    out.print(f"Wrote {folder / checkpoint.ATLAS}.")


@app.command()
def trade(slug: Slug, data: Data = None, ship: Ship = False) -> None:
    """Measure fidelity and diversity over the scale; an interrupted run is resumed."""
    from explorer import checkpoint, publishing
    from explorer.data.named import load_named

    opened = checkpoint.load(slug)
    folder = opened.folder if ship else checkpoint.results_folder(opened.hash)
    with _progress() as bar:
        task = bar.add_task("reading data", total=None)
        data_set = load_named(opened.config.data, _data_root(data))
        _warn(opened.changes(data_set))
        publishing.trade(
            opened,
            data_set,
            folder,
            lambda done, total: bar.update(
                task, description="scales", completed=done, total=total
            ),
        )
    out.print(f"Wrote {folder / checkpoint.TRADEOFF}.")


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="Which study: dmvae.")],
    kind: Annotated[str, typer.Option(help="Data set: mnist-static, fashion or digits.")] = (
        "mnist-static"
    ),
    arm: Annotated[list[str] | None, typer.Option(help="Only this arm; all by default.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1, max=20)] = 3,
    latent: Annotated[int, typer.Option(help="Latent units.", min=1, max=512)] = 16,
    epochs: Annotated[
        int, typer.Option(help="Epochs of each arm, its base's included.", min=2)
    ] = 120,
    hours: Annotated[float, typer.Option(help="Start no arm after this time.", min=0)] = 6.0,
    threads: Annotated[int, typer.Option(help="Threads to use.", min=1)] = 1,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder of results.json.")
    ] = None,
    data: Data = None,
) -> None:
    """Train and measure every reference by both methods beside baselines; can be resumed."""
    import torch
    from pydantic import ValidationError

    from explorer import study as studies
    from explorer.data.named import load_named

    if name != "dmvae":
        raise typer.BadParameter(f"there is no study “{name}”; the only one is dmvae.")
    try:
        plan = studies.Plan.model_validate(
            {"data": {"kind": kind}, "latent": latent, "epochs": epochs,
             "seeds": range(1, seeds + 1)}
        )  # fmt: skip
    except ValidationError as error:
        raise typer.BadParameter(f"there is no data set “{kind}” to study.") from error
    torch.set_num_threads(threads)
    folder = out_folder or settings.current().user / "studies" / f"dmvae-{kind}-{latent}"
    with _progress() as bar:
        results = studies.run(
            plan,
            load_named(plan.data, _data_root(data)),
            folder,
            arms=arm or tuple(studies.ARMS),
            hours=hours,
            report=_stages(bar),
        )
    measured = ("reconstruction", "c2st", "reference_sliced", "flow_frechet", "flow_copies")
    shown = Table("arm", "seeds", *(item.replace("_", " ") for item in measured), box=None)
    for row in studies.table(results, measured):
        shown.add_row(*row)
    out.print(shown, soft_wrap=False)
    out.print(f"Results: {folder / 'results.json'}")


@app.command()
def rebuild(
    manifest: Annotated[
        Path, typer.Argument(help="A JSON file exported from a page, or an export of candidates.")
    ],
    to: Annotated[Path, typer.Option("--out", help="Folder for what is written anew.")] = Path(
        "rebuilt"
    ),
    device: Device = "auto",
) -> None:
    """Regenerate an export from its JSON and verify every image and file."""
    from explorer import rebuilding

    found = []
    for part in rebuilding.rebuild(manifest, to, device):
        found.append(part)
        state = "ok" if part.close else part.lack or "not"
        how = (
            "bit-identical"
            if part.same
            else part.problem
            or (
                f"within {255 * part.away:.2g}/255"
                if part.close
                else "not bit-identical to the export"
                if math.isinf(part.away)
                else f"off by {255 * part.away:.3g}/255"
            )
        )
        if part.title == rebuilding.TABLE and not part.same:
            other = "written differently by other software" if part.others else "not as exported"
            how = part.problem or other
        elif part.changed:
            how += f", but {_some(part.changed)} of {part.files} files differ"
        elif part.others:
            how += f"; other software wrote {_some(part.others)} differently"
        elif part.files:
            how += f", with {part.files} files"
        line = Text(f"{state} {part.title}: {how}")
        line.stylize("green" if part.close else "red", 0, len(state))
        if part.title == rebuilding.STRIP:
            line = Text(f"Wrote images to {to}: {how}.")
        out.print(line)
    if [part.title for part in found] == [rebuilding.STRIP]:
        if not found[0].same:
            raise typer.Exit(1)
        return
    picks = [part for part in found if part.title != rebuilding.TABLE]
    good = sum(part.close for part in picks)
    out.print(f"{good} of {len(picks)} picks match the export; files in {to}.")
    if not all(part.close for part in found):
        raise typer.Exit(1)


@asked.command("add")
def add_property(
    sources: Annotated[
        list[Path],
        typer.Argument(help="A folder with network.onnx and property.json, or the two files."),
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of its key.")] = False,
) -> None:
    """Install a classifier or regressor, once it was tried in a process of its own."""
    from explorer.designs import installed, measuring

    found = installed.add(sources, measuring.taken_keys(), replace=replace)
    assert found.description is not None
    fitting = measuring.models_that_fit(found.description)
    out.print(f"Installed {found.key}: {', '.join(found.description.keys[:6])}"
              + (", …" if len(found.description.keys) > 6 else "."))  # fmt: skip
    out.print(
        f"Pages offer it for {_some(fitting)}." if fitting else
        f"No model has samples of the shape {list(found.description.shape)} yet."
    )  # fmt: skip


@asked.command("list")
def list_properties(as_json: Json = False) -> None:
    """List the installed networks, and why some are off."""
    from explorer.designs import measuring

    found = measuring.networks()
    if as_json:
        rows = [
            {"key": item.key, "on": item.family is not None, "reason": item.reason,
             **(item.description.model_dump() if item.description is not None else {})}
            for item in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=1))  # noqa: T201 - the output itself
        return
    for item in found:
        what = "" if item.description is None else (
            f"{item.description.label}, {item.description.kind} of "
            f"{' x '.join(map(str, item.description.shape))}"
        )  # fmt: skip
        line = Text(f"{'on ' if item.family is not None else 'off'} {item.key}: "
                    + (what if item.family is not None else item.reason))  # fmt: skip
        line.stylize("green" if item.family is not None else "red", 0, 3)
        out.print(line)
    if not found:
        out.print("None yet; add one with `latent-explorer property add FOLDER`.")


@asked.command("remove")
def remove_property(
    key: Annotated[str, typer.Argument(help="Its key, as in `latent-explorer property list`.")],
) -> None:
    """Remove an installed network; pages no longer show its properties."""
    from explorer.designs import installed

    installed.remove(key)
    out.print(f"Removed {key}.")


@asked.command("example")
def example_property(
    kind: Annotated[str, typer.Argument(help="A data set, for example digits.")] = "digits",
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; by default KIND-classifier.")
    ] = None,
) -> None:
    """Write a shipped classifier of a data set as a folder to be added."""
    from explorer.foreign.examples import write_example

    folder = write_example(kind, to or Path(f"{kind}-classifier"))
    out.print(f"Wrote {folder}; install it with `latent-explorer property add {folder}`.")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the installation; exit code 1 if the app cannot run."""
    from explorer.doctor import examine

    findings = examine()
    if as_json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))  # noqa: T201
    else:
        colours = {"ok": "green", "note": "yellow", "bad": "red"}
        for finding in findings:
            line = Text(f"{finding.state:<4} {finding.what}: {finding.message}")
            line.stylize(colours[finding.state], 0, len(finding.state))
            out.print(line)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _data_root(flag: Path | None) -> Path:
    return _existing(flag) or settings.current().data


def _existing(folder: Path | None, name: str = "data") -> Path | None:
    settings.variables(**{name: folder})
    return folder


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _stages(bar: Progress) -> Callable[[str, int, int], None]:
    task = bar.add_task("measuring", total=None)

    def report(stage: str, done: int, total: int) -> None:
        bar.update(task, description=stage, completed=done, total=total or None)

    return report


def _some(names: Sequence[str]) -> str:
    """Name at most three."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _warn(words: str) -> None:
    if words:
        err.print(words)


def _print_metrics(metrics: dict) -> None:  # type: ignore[type-arg]
    table = Table("measure", "value", "standard error", "n", "unit", box=None)
    for name, metric in metrics.items():
        error = "" if metric.se is None else f"{metric.se:.3g}"
        table.add_row(
            name.replace("_", " "), f"{metric.value:.4f}", error, str(metric.n), metric.unit
        )
    out.print(table, soft_wrap=False)


if __name__ == "__main__":
    main()
