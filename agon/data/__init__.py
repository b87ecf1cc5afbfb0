"""Where real data x come from: known distributions of points, images, and tables and arrays of numbers.

A *source* is a frozen description; `Stream` draws endless, seeded, resumable batches from it.

>>> Stream(Ring(), batch=64, seed=0).draw().real.shape
torch.Size([64, 2])
"""

from agon.arguments import checks_names
from agon.data.by_name import SOURCES, named
from agon.data.given import of
from agon.data.images import Images
from agon.data.numeric import Numeric
from agon.data.settling import Settled, settle
from agon.data.source import MEMORY, Opened, RealBatch, Source, Split
from agon.data.stacked import Stacked
from agon.data.stream import Stream
from agon.data.toy import Dirac, Gaussian, Grid, Ring, SwissRoll

__all__ = [
    "MEMORY",
    "SOURCES",
    "Dirac",
    "Gaussian",
    "Grid",
    "Images",
    "Numeric",
    "Opened",
    "RealBatch",
    "Ring",
    "Settled",
    "Source",
    "Split",
    "Stacked",
    "Stream",
    "SwissRoll",
    "named",
    "of",
    "settle",
]

for _source in SOURCES.values():
    checks_names(_source)
