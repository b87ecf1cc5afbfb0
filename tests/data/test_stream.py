"""One stream for all sources: endless, resumable, the same for one process and for many, and fast."""

import subprocess
import sys
import time

import pytest
import torch

from agon.data import Dirac, Images, Ring, Stream
from agon.errors import DataError, SettingError

SOURCES = [
    Images(),
    Images(holdout=0.5, size=4),
    Images(streaming=True, buffer=300),
    Ring(),
    Ring(points=100),
    Dirac(),
]


def equal(a, b):
    labels = a.label is b.label is None or torch.equal(a.label, b.label)
    return labels and torch.equal(a.real, b.real)


@pytest.mark.parametrize("source", SOURCES, ids=repr)
def test_resumed_is_uninterrupted(source):
    straight, stopped = (Stream(source, batch=60, seed=5) for _ in range(2))
    for _ in range(40):
        expected = straight.draw()
    for _ in range(17):
        stopped.draw()
    resumed = Stream(source, batch=60, seed=5)
    resumed.load(stopped.state())
    assert resumed.fingerprint == straight.fingerprint
    for _ in range(23):
        got = resumed.draw()
    assert equal(got, expected)
    assert resumed.state() == straight.state()
    assert straight.state().pop("drawn") == 40


@pytest.mark.parametrize("source", SOURCES, ids=repr)
def test_batches_that_are_not_read_count_as_drawn(source):
    drawn, advanced = (Stream(source, batch=60, seed=5) for _ in range(2))
    expected = [drawn.draw() for _ in range(4)]
    _, read, _, late = [advanced.advance() for _ in range(4)]
    assert advanced.state() == drawn.state()
    assert equal(late(), expected[3])
    assert equal(read(), expected[1])
    assert equal(advanced.draw(), drawn.draw())


@pytest.mark.parametrize("source", [s for s in SOURCES if not getattr(s, "streaming", False)], ids=repr)
@pytest.mark.parametrize("world", [2, 3])
def test_many_processes_see_what_one_sees(source, world):
    one = Stream(source, batch=12, seed=1)
    many = [Stream(source, batch=12, seed=1, rank=rank, world=world) for rank in range(world)]
    for _ in range(20):
        whole, parts = one.draw(), [stream.draw() for stream in many]
        assert torch.equal(whole.real, torch.cat([part.real for part in parts]))
        if whole.label is not None:
            assert torch.equal(whole.label, torch.cat([part.label for part in parts]))


def test_the_fingerprint_tells_data_apart_and_not_seeds():
    prints = {
        Stream(source, batch=4, seed=seed, split=split).fingerprint
        for seed in (0, 1)
        for source in (Images(), Images(size=4), Images(only=3), Images(range=(0.0, 1.0)), Ring())
        for split in ("train", "test")
    }
    assert len(prints) == 10
    assert all(len(bytes.fromhex(text)) == 32 for text in prints)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 0}, "batch to be a whole number of at least 1, got 0"),
        ({"batch": 6.0}, "got 6.0"),
        ({"batch": 5, "world": 2}, "2 processes can share equally, got 5"),
        ({"batch": 4, "rank": 1}, "rank from 0 to 0"),
        ({"batch": 4, "seed": -1}, "seed to be a whole number of at least 0, got -1"),
        ({"batch": 4, "split": "valid"}, "split to be 'train' or 'test', got 'valid'"),
        ({"batch": 4, "memory": -1}, "memory to be"),
    ],
)
def test_a_wrong_setting_is_one_sentence(options, words, unchecked):
    with pytest.raises(SettingError, match=words):
        Stream(Ring(), **{"seed": 0, **options})


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"drawn": -1},
        {"drawn": "3"},
        {"drawn": True},
        {"drawn": 3, "mark": 7},
        {"drawn": 3, "mark": [0, 0, 0, 0]},
        {"drawn": 3, "mark": [0, 0, 0, -1, 0]},
        {"drawn": 3, "mark": [0, 0, 0, 2**60, 0]},
    ],
)
def test_a_wrong_state_is_one_sentence(state, unchecked):
    with pytest.raises(SettingError, match=r"a stream's state such as \{'drawn': 7\}, got"):
        Stream(Ring(), batch=4, seed=0).load(state)


def test_a_set_smaller_than_the_batch_is_refused():
    with pytest.raises(DataError, match="at least 9 samples for a batch of 9, got 8: take a smaller batch"):
        Stream(Ring(points=8), batch=9, seed=0).draw()


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("memory", [2**30, 1], ids=["in memory", "mapped"])
def test_a_draw_takes_under_three_percent_of_the_shortest_step(table, memory, one_thread):
    """A DCGAN step at batch 64 on a CPU takes 50 ms or more: 3 % are 1.5 ms."""
    stream = Stream(Images(path=str(table), channels=3, size=32), batch=64, seed=0, memory=memory)
    times = []
    for _ in range(100):
        start = time.thread_time()  # of this thread: what the machine does besides does not count
        stream.draw()
        times.append(time.thread_time() - start)
    assert sorted(times)[50] < 0.0015


def test_importing_the_room_imports_nothing_heavy():
    code = (
        "import sys, agon.data;"
        "print([m for m in ('datasets', 'sklearn', 'PIL', 'pyarrow', 'huggingface_hub') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
