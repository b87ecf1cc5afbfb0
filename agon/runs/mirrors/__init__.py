"""A directory of a run, of seeds, of a sweep or of a paper in storage that other machines reach: `--storage s3://...`.

| module | content |
|---|---|
| manifest | mirror.json: the names and checksums of all objects |
| content | which files of a directory are mirrored, and their checksums |
| pushing | brings storage up to date, in an order in which it is a consistent run after every operation |
| fetching | brings a directory up to date from storage, and verifies every object |
| place | storage.json: where a directory is mirrored, and who writes there |
| opening | what happens before a training: a new place, a session, or a fetch |
| copies | runs at an address, read in the cache |
| mirror | a thread that pushes while a training goes on |
| many | the runs of seeds, of a sweep or of a paper |

Nothing here needs torch.
"""

from agon.runs.mirrors.copies import copied_from, copy_of, fetched
from agon.runs.mirrors.many import Addresses, begin_folder, fetched_afterwards, sync, sync_all
from agon.runs.mirrors.mirror import Mirror, catch_up, mirror_now, push_held
from agon.runs.mirrors.opening import (
    begin_storage,
    check_storage,
    inside,
    is_stored,
    prepare,
    set_aside_if_ahead,
    stored_at,
    stored_file,
    up_to_date,
)

__all__ = [
    "Addresses",
    "Mirror",
    "begin_folder",
    "begin_storage",
    "catch_up",
    "check_storage",
    "copied_from",
    "copy_of",
    "fetched",
    "fetched_afterwards",
    "inside",
    "is_stored",
    "mirror_now",
    "prepare",
    "push_held",
    "set_aside_if_ahead",
    "stored_at",
    "stored_file",
    "sync",
    "sync_all",
    "up_to_date",
]
