"""Sixty exported sections in other programs: `python -m tests.benchmarks.taking_home`.

AeroSandbox measures what the .dat holds, ezdxf audits the DXF, pypdf and an XML parser open the
page and the drawing, and polars are read by XFLR5's rules.
"""

import io
import tempfile
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import aerosandbox
import ezdxf
import numpy as np
from ezdxf import bbox
from pypdf import PdfReader

from explorer import __version__, load, packing
from explorer.designs import cad, names
from explorer.designs.measuring import measure
from explorer.designs.picks import Model, Pick, PickSource
from explorer.designs.properties import Conditions, OperatingPoint
from explorer.inference import Engine
from tests.support.polars import read_by_xflr5

MODEL, PROJECT, N = "airfoils-vae-xvae-8", "Wing root", 60
FLOW = Conditions(others=(OperatingPoint(reynolds=3e6, alpha=2.0),))


def picks() -> list[Pick]:
    """Draw valid sections from the prior."""
    engine = Engine(load(MODEL), "cpu")
    opened = engine.checkpoint
    model = Model(opened.hash, opened.slug, opened.config.data.kind, engine.sketch)
    drawn = engine.sample(2 * N, 1.0, 0)
    rows = np.flatnonzero(measure(drawn.x, engine.sketch).valid)[:N]
    return [
        Pick(f"key-{number:08d}", number, 0.0,
             PickSource(model, drawn.z[row], drawn.x[row], f"{row}", "generate", "", __version__),
             treatment="kulfan")
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip


def main() -> None:
    """Export, open every file, and print the largest differences."""
    chosen = picks()
    measured = [
        measure(pick.source.sample[None], pick.source.model.sketch, FLOW, pick.geometry)
        for pick in chosen
    ]
    for pages in (False, True):
        start = time.perf_counter()
        parcel = packing.pack(PROJECT, chosen, measured, FLOW, __version__, pages=pages)
        seconds = (time.perf_counter() - start) / len(chosen)
        print(f"{'with' if pages else 'without'} pages: {seconds:.2f} s each")
    area, thickness, chord, polars = [], [], [], 0
    with tempfile.TemporaryDirectory() as name:
        zipfile.ZipFile(io.BytesIO(parcel)).extractall(name)
        for pick, found in zip(chosen, measured, strict=True):
            stem = names.stem(PROJECT, pick.number)
            base = Path(name) / stem / stem
            foil = aerosandbox.Airfoil(name=stem, coordinates=base.with_suffix(".dat"))
            area.append(abs(100 * foil.area() / found.values["area"][0] - 1))
            thickness.append(abs(100 * foil.max_thickness() - found.values["thickness"][0]))
            sheet = ezdxf.readfile(base.with_suffix(".dxf"))
            audit = sheet.audit()
            assert not audit.errors
            assert not audit.fixes
            section = sheet.modelspace().query('*[layer=="SECTION"]')
            chord.append(abs(bbox.extents(section).size.x - cad.CHORD))
            assert len(PdfReader(base.with_suffix(".pdf"), strict=True).pages) == 1
            ElementTree.parse(base.with_suffix(".svg"))
            for path in base.parent.glob("*.txt"):
                assert read_by_xflr5(path.read_bytes()).section == stem
                polars += 1
    print(f"{len(chosen)} sections opened, {polars} polars read")
    print(f"area {100 * max(area):.3f} %, thickness {max(thickness):.4f} % of the chord apart")
    print(f"chord in DXF {max(chord):.2g} mm off")


if __name__ == "__main__":
    main()
