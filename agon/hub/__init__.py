"""Publish a run on the Hugging Face Hub; `agon.runs` reads published runs by their names, "hub:owner/name".

| module | content |
|---|---|
| release | the files of a published run: its description, scores, last samples and weights |
| card | README.md, the model card |
| publishing | all of it together, and the request |
"""

from agon.hub.publishing import prepare, push
from agon.hub.release import release

__all__ = ["prepare", "push", "release"]
