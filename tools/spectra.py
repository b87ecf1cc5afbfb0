"""Draw the eigenvalues of the steps of two trainings of the hospital into docs/gallery/spectrum.png.

    python -m tools.spectra [--seed 0]

Each is trained in seconds, and drawn at its last checkpoint: μ of M for simultaneous steps I - M. Plain steps damp
what lies in the disc |1 - μ| < 1.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from agon.diagnosis import view_of
from agon.diagnosis.no_equilibrium import Spectrum, spectrum_of
from agon.figures.colours import colour
from agon.figures.drawing import INK, drawing_png, outline, sheet
from agon.runs import Run
from tests.diagnosis.ward import diagnosed

PICTURE = Path("docs/gallery/spectrum.png")
SHOWN = {
    "orbit of a bilinear game": "two lines, in orbit",
    "ring without unrolling": "ring, rotating",
    "minimax, R1": "ring with R1, healthy",
}


def spectra(seed: int, folder: Path) -> dict[str, Spectrum]:
    """Title -> the eigenvalues of a training."""
    found = {}
    for name, title in SHOWN.items():
        diagnosed(name, seed, folder)
        spectrum = spectrum_of(view_of(Run(folder / f"{name}-{seed}"), trust=True))
        assert not isinstance(spectrum, str), spectrum
        found[title] = spectrum
    return found


def draw(found: dict[str, Spectrum]) -> bytes:
    """A panel for each, with the disc of plain steps."""
    figure = sheet(240 * len(found), 260, constrained=True)
    for i, (axes, (title, spectrum)) in enumerate(
        zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True)
    ):
        values = spectrum.simultaneous
        reach = 1.15 * float(max(abs(values.real).max(), abs(values.imag).max(), 1e-12))
        angle = np.linspace(0, 2 * np.pi, 20_001)
        axes.fill(1 - np.cos(angle), np.sin(angle), color=INK, alpha=0.08, linewidth=0)
        axes.axhline(0, color=INK, alpha=0.3, linewidth=0.5)
        axes.axvline(0, color=INK, alpha=0.3, linewidth=0.5)
        axes.plot(values.real, values.imag, "o", markersize=4, color=colour(i), alpha=0.8, markeredgewidth=0)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_title(title, fontsize=9, color=INK)
        axes.set_xlabel("Re μ", fontsize=7, color=INK)
        axes.set_ylabel("Im μ" if not i else "", fontsize=7, color=INK)
        axes.tick_params(labelsize=6, colors=INK)
        outline(axes, 0.0)
    return drawing_png(figure)


def main() -> None:
    """Train, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "agon-hospital")
    asked = parser.parse_args()
    found = spectra(asked.seed, asked.out)
    for title, spectrum in found.items():
        print(title, {rule: round(spectrum.left(rule), 3) for rule in spectrum.factors}, spectrum.simultaneous)
    PICTURE.write_bytes(draw(found))
    print(PICTURE)


if __name__ == "__main__":
    main()
